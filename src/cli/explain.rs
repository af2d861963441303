//! `jeton explain`

use clap::Args;

use super::args::{Remote, TOKEN_HELP};
use super::exit::Failed;
use super::output;
use super::remote::{Api, query};

#[derive(Debug, Args)]
#[command(after_help = TOKEN_HELP)]
pub(super) struct Explain {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct About {
    /// The X-Request-Id of the refused request
    #[arg(long)]
    request_id: Option<String>,
    /// The public id of a token (jti), or of what it was issued under (grt_…)
    #[arg(long)]
    token_id: Option<String>,
}

pub(super) fn run(command: Explain) -> Result<(), Failed> {
    let About { request_id, token_id } = command.about;
    let pairs: Vec<(String, String)> = [("request_id", request_id), ("token_id", token_id)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    let told = Api::new(&command.remote)?.get(&query("/admin/v1/explain", &pairs))?;
    output::object(&told, command.remote.output)
}

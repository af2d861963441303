//! `jeton policy …`

use clap::Subcommand;

use super::args::{Remote, TOKEN_HELP};
use super::exit::Failed;
use super::output;
use super::remote::Api;
use super::resource::Resource;

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Policy {
    /// List policies
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one policy (role admin)
    Show {
        name: String,
        #[command(flatten)]
        remote: Remote,
    },
}

const COLUMNS: &[&str] = &["name", "credential", "min_lifetime", "max_lifetime", "access_lifetime", "creation"];

pub(super) fn run(command: Policy) -> Result<(), Failed> {
    match command {
        Policy::List { remote } => {
            let policies = Api::new(&remote)?.get("/api/v1/policies")?;
            let rows = policies["data"].as_array().or_else(|| policies.as_array()).cloned();
            output::rows(&rows.unwrap_or_default(), COLUMNS, remote.output)
        }
        Policy::Show { name, remote } => {
            Resource { path: "/admin/v1/policies", columns: COLUMNS, one: "policy" }.show(&name, &remote)
        }
    }
}

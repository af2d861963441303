//! `jeton event …`

use clap::Subcommand;

use super::args::{Format, Remote, TOKEN_HELP};
use super::exit::Failed;
use super::output;
use super::remote::{Api, Export, query};

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Event {
    /// List what has happened in the workspace, the oldest first
    List {
        #[command(flatten)]
        which: Which,
        /// Events at most
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        remote: Remote,
    },
    /// Write everything up to now, as lines of JSON or with `-o csv`; the id of the last one is the cursor to go on with
    Export {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Which events.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// For instance token.revoked; repeat for several
    #[arg(long = "type")]
    types: Vec<String>,
    /// The id of the last event that is known
    #[arg(long)]
    after: Option<String>,
}

const PATH: &str = "/admin/v1/events";
const COLUMNS: &[&str] = &["time", "type", "actor", "subject", "id"];

pub(super) fn run(command: Event) -> Result<(), Failed> {
    match command {
        Event::List { which, limit, remote } => {
            let pairs = [which.into_pairs(), vec![("limit".to_owned(), limit.to_string())]].concat();
            let page = Api::new(&remote)?.get(&query(PATH, &pairs))?;
            output::rows(page["data"].as_array().map_or(&[], Vec::as_slice), COLUMNS, remote.output)
        }
        Event::Export { which, remote } => {
            let form = if remote.output == Format::Csv { Export::Csv } else { Export::Ndjson };
            Api::new(&remote)?.export(PATH, &which.into_pairs(), form)
        }
    }
}

impl Which {
    fn into_pairs(self) -> Vec<(String, String)> {
        let types = self.types.into_iter().map(|name| ("type".to_owned(), name));
        types.chain(self.after.map(|id| ("cursor".to_owned(), id))).collect()
    }
}

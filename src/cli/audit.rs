//! `jeton audit …`

use clap::Subcommand;

use super::args::{Format, Remote, TOKEN_HELP};
use super::exit::Failed;
use super::resource::{Resource, pair};

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Audit {
    /// List what was done in the workspace, newest first
    List {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        remote: Remote,
    },
    /// Write all of it as it arrives, as lines of JSON or with `-o csv`
    Export {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Which acts.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// resource.verb, for instance token.revoke; repeat for several
    #[arg(long = "action")]
    actions: Vec<String>,
    /// For instance user:usr_…; repeat for several
    #[arg(long = "actor")]
    actors: Vec<String>,
    /// The id of what was acted on; repeat for several
    #[arg(long = "target")]
    targets: Vec<String>,
    /// Another filter of the REST API, for instance created_after=2026-01-01T00:00:00Z; repeat for several
    #[arg(short, long = "filter", value_name = "NAME=VALUE", value_parser = pair)]
    filters: Vec<(String, String)>,
}

const EVENTS: Resource = Resource {
    path: "/admin/v1/audit",
    columns: &["created_at", "action", "actor", "target", "request_id"],
    one: "act",
};

pub(super) fn run(command: Audit) -> Result<(), Failed> {
    match command {
        Audit::List { which, remote } => EVENTS.export(&which.into_pairs(), &remote),
        Audit::Export { which, mut remote } => {
            if remote.output == Format::Table {
                remote.output = Format::Ndjson;
            }
            EVENTS.export(&which.into_pairs(), &remote)
        }
    }
}

impl Which {
    fn into_pairs(self) -> Vec<(String, String)> {
        let named = [("action", self.actions), ("actor", self.actors), ("target", self.targets)];
        let pairs =
            named.into_iter().flat_map(|(name, values)| values.into_iter().map(move |value| (name.to_owned(), value)));
        pairs.chain(self.filters).collect()
    }
}

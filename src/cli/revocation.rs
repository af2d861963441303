//! `jeton revocation …`

use clap::Subcommand;

use super::args::{Remote, TOKEN_HELP};
use super::exit::Failed;
use super::output;
use super::remote::Api;

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Revocation {
    /// Tell on which nodes a revocation is in force
    Show {
        /// Its position in the log: `revision` of the answer, or X-Jeton-Revision
        revision: u64,
        #[command(flatten)]
        remote: Remote,
    },
}

pub(super) fn run(command: Revocation) -> Result<(), Failed> {
    match command {
        Revocation::Show { revision, remote } => {
            let told = Api::new(&remote)?.get(&format!("/admin/v1/revocations/{revision}"))?;
            output::object(&told, remote.output)
        }
    }
}

//! `jeton store`: what is done to the database itself, on the machine that has its configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::{Confirmation, Format};
use super::exit::{Exit, Failed};
use super::serve::runtime;
use super::{confirm, output};
use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::server::{back_up, declare_restored};
use crate::service::restore::Restoring;

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Write a copy of the SQLite file, also while it is served from
    Backup {
        /// Where to; never overwritten
        path: PathBuf,
    },
    /// Say that the database was restored: all tokens that it knows die, because any of them may have been revoked since
    Restored(Restored),
}

#[derive(Debug, Args)]
pub(super) struct Restored {
    /// When the backup was made, for the audit log; for instance 2026-11-21T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub backup_taken_at: Option<Timestamp>,
    /// Leave tokens as the backup has them: those that were revoked since are good again until you revoke them again
    #[arg(long)]
    pub keep_tokens: bool,
    #[command(flatten)]
    pub confirmation: Confirmation,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

pub(super) fn run(command: &StoreCommand, config: &Config) -> Result<(), Failed> {
    match command {
        StoreCommand::Backup { path } => {
            runtime()?.block_on(back_up(config, path))?;
            output::raw(format!("{} is written.\n", path.display()).as_bytes())
        }
        StoreCommand::Restored(restored) => declare(restored, config),
    }
}

fn declare(restored: &Restored, config: &Config) -> Result<(), Failed> {
    let Restored { backup_taken_at, keep_tokens, confirmation, output } = *restored;
    if !confirmation.dry_run {
        confirm::agreed(confirmation, || {
            let what = if keep_tokens {
                "What was revoked since the backup will be accepted again, and all sessions of the console end."
            } else {
                "All tokens and API keys will be dead, and all sessions of the console end."
            };
            Ok(format!("{what} Go on?"))
        })?;
    }
    let asked = Restoring { backup_taken_at, keep_tokens, dry_run: confirmation.dry_run };
    let done = runtime()?.block_on(declare_restored(config, asked))?;
    let mut told = serde_json::to_value(&done).map_err(Failed::internal)?;
    if let (Some(link), Some(told)) = (&done.link, told.as_object_mut()) {
        let url = format!("{}/console/setup?code={}", config.issuer(), link.expose_secret());
        told.insert("operator_password_link".to_owned(), url.into());
    }
    output::object(&told, output).map_err(|failed| Failed::new(Exit::Failed, failed.message))
}

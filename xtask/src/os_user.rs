//! The operating system user that runs Postgres, which refuses to be run by root.

use std::{env, ffi::OsStr, process::Command};

use crate::{Result, command};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OsUser {
    /// Who runs xtask.
    Caller,
    /// Another user, because xtask runs as root.
    Named(String),
}

impl OsUser {
    /// As root: `JETON_TEST_PG_USER`, or `postgres` if there is such a user, or `nobody`.
    pub(crate) fn for_postgres() -> Result<Self> {
        if !is_root()? {
            return Ok(Self::Caller);
        }
        if let Ok(name) = env::var("JETON_TEST_PG_USER") {
            id(&["-u", &name]).map_err(|error| format!("JETON_TEST_PG_USER: {error}"))?;
            return Ok(Self::Named(name));
        }
        let has_postgres = id(&["-u", "postgres"]).is_ok();
        Ok(Self::Named(if has_postgres { "postgres" } else { "nobody" }.to_owned()))
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Caller => None,
            Self::Named(name) => Some(name),
        }
    }

    /// A command that this user runs, in a directory that every user may read.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let mut command = match self {
            Self::Caller => Command::new(program),
            Self::Named(name) => match command::on_path("setpriv") {
                Some(setpriv) => {
                    let group = id(&["-g", name])?;
                    let mut command = Command::new(setpriv);
                    command.args(["--reuid", name, "--regid", &group, "--clear-groups", "--"]).arg(program);
                    command
                }
                None => {
                    let mut command = Command::new("su");
                    command.args(["-s", "/bin/sh", name, "-c", r#"exec "$@""#, "--", "sh"]).arg(program);
                    command
                }
            },
        };
        command.current_dir("/");
        Ok(command)
    }
}

pub(crate) fn is_root() -> Result<bool> {
    Ok(id(&["-u"])? == "0")
}

fn id(arguments: &[&str]) -> Result<String> {
    command::capture(Command::new("id").args(arguments))
}

//! One set of Postgres programs, and the operating system user that can run them.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, command, os_user::OsUser};

use super::{find, provision};

/// Variables that name the programs and the user to child processes.
const BIN: &str = "JETON_TEST_PG_BIN";
const USER: &str = "JETON_TEST_PG_USER";

pub(crate) struct Installation {
    bin: PathBuf,
    user: OsUser,
    version: String,
}

impl Installation {
    /// Everything that can be tried, in turn; the error says what was.
    pub(crate) fn find_or_provision() -> Result<Self> {
        match Self::find()? {
            Some(found) => Ok(found),
            None => provision::first_that_works(),
        }
    }

    /// What is on the machine already. `JETON_TEST_PG_BIN` excludes any other; an unusable one is an error.
    pub(crate) fn find() -> Result<Option<Self>> {
        let user = OsUser::for_postgres()?;
        if let Some(bin) = std::env::var_os(BIN) {
            let given = Self::open(PathBuf::from(bin), user).map_err(|error| format!("{BIN}: {error}"))?;
            return Ok(Some(given));
        }
        for bin in find::candidates() {
            match Self::open(bin, user.clone()) {
                Ok(found) => return Ok(Some(found)),
                Err(error) => eprintln!("xtask: {error}"),
            }
        }
        Ok(None)
    }

    /// Refuses programs that the chosen user cannot run, such as those under root's home directory.
    pub(super) fn open(bin: PathBuf, user: OsUser) -> Result<Self> {
        if !find::is_complete(&bin) {
            return Err(format!("{} lacks one of {}", bin.display(), find::PROGRAMS.join(", ")).into());
        }
        let version = command::capture(user.command(bin.join("postgres"))?.arg("--version"))?;
        Ok(Self { bin, user, version })
    }

    /// One of the programs, run by the chosen user.
    pub(super) fn command(&self, program: &str) -> Result<Command> {
        self.user.command(self.bin.join(program))
    }

    pub(super) fn user(&self) -> &OsUser {
        &self.user
    }

    pub(super) fn describe_to(&self, child: &mut Command) {
        child.env(BIN, &self.bin);
        match self.user.name() {
            Some(name) => child.env(USER, name),
            None => child.env_remove(USER),
        };
    }
}

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.name().unwrap_or("the caller");
        write!(f, "postgres: {} ({}), run by {user}", Path::display(&self.bin), self.version)
    }
}

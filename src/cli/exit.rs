//! Exit codes, and errors in words.

use std::process::ExitCode;

use crate::config::ConfigError;

/// What the process's exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    NotAllowed = 4,
    Conflict = 5,
    /// `EX_UNAVAILABLE` of sysexits.
    Unavailable = 69,
    /// `EX_CONFIG` of sysexits.
    BadConfiguration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that failed: the code, and the words for standard error.
#[derive(Debug)]
pub(super) struct Failed {
    pub exit: Exit,
    pub message: String,
}

impl Failed {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(Exit::Failed, error.to_string())
    }
}

impl From<ConfigError> for Failed {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::BadConfiguration, error.to_string())
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Exit::Failed, format!("{error:#}"))
    }
}

/// Writes the words of a failure.
#[expect(clippy::print_stderr, reason = "the command line reports here")]
pub(super) fn report(failed: &Failed) {
    eprintln!("jeton: {}", failed.message);
}

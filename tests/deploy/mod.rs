//! What `deploy/` has for those who run the service.

mod container;
mod database_password;
mod doctor;
mod examples;
mod failover;
mod helm;
mod load;
mod local;
pub mod metrics;
mod monitoring;
mod recovery;
mod reload;
mod rotation;
mod signals;
mod site;
mod sockets;
mod systemd;
mod upgrade;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file or directory of `deploy/`.
fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// A program that `cargo xtask test` has found or installed.
fn program(name: &str) -> Command {
    let variable = format!("JETON_TEST_{name}");
    Command::new(std::env::var(&variable).unwrap_or_else(|_| panic!("{variable} is not set; cargo xtask test sets it")))
}

/// Runs to the end, and has to succeed.
#[track_caller]
fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    output
}

//! `xtask bench`: the load benchmark of the release build, on a Postgres that keeps what it commits.

use std::ffi::OsString;

use crate::{
    Result, command,
    postgres::{Durability, Server},
    workspace,
};

/// Returns the exit status of the first step that fails, or the benchmark's.
pub(crate) fn run(arguments: &[OsString]) -> Result<u8> {
    let built = command::status(workspace::cargo().args(["build", "--release"]))?;
    if built != 0 {
        return Ok(built);
    }
    let server = Server::start(Durability::Durable)?;
    let mut bench = workspace::cargo();
    bench.args(["bench", "--bench", "load", "--"]).args(arguments);
    server.describe_to(&mut bench);
    command::status(&mut bench)
}

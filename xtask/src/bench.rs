//! `xtask bench`: the load benchmark of the release build, on a Postgres that keeps what it commits.

use std::{env, ffi::OsString, fs};

use crate::{
    Result, command,
    postgres::{Durability, Server},
    workspace,
};

/// Names the binary to measure to the benchmark. Given to xtask, that one is measured, say an older one.
const BINARY: &str = "JETON_BENCH_SERVER";

/// Returns the exit status of the first step that fails, or the benchmark's.
pub(crate) fn run(arguments: &[OsString]) -> Result<u8> {
    let mut bench = workspace::cargo();
    bench.args(["bench", "--bench", "load", "--"]).args(arguments);
    if env::var_os(BINARY).is_none() {
        let built = command::status(workspace::cargo().args(["build", "--release"]))?;
        if built != 0 {
            return Ok(built);
        }
        // Set aside: cargo bench makes the binary once more in the same place, with what the tests switch on in its
        // dependencies.
        let release = workspace::target().join("release");
        let (made, kept) = (release.join("jeton"), release.join("jeton-to-measure"));
        fs::copy(&made, &kept).map_err(|error| format!("{} can't be set aside: {error}", made.display()))?;
        bench.env(BINARY, kept);
    }
    let server = Server::start(Durability::Durable)?;
    server.describe_to(&mut bench);
    command::status(&mut bench)
}

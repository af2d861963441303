//! `xtask test`: every test of the workspace, those that need a Postgres or a client library included.

use std::ffi::OsString;

use crate::{
    Result,
    arguments::TestArguments,
    browser::Browser,
    clients::Clients,
    command,
    faketime::Faketime,
    operations::Operations,
    postgres::{Durability, Server},
    workspace,
};

/// Tests that take many minutes: they run when a filter names them.
const ON_REQUEST: [&str; 1] = ["browser::screenshots"];

/// Returns cargo's exit status.
pub(crate) fn run(arguments: Vec<OsString>) -> Result<u8> {
    let arguments = TestArguments::split(arguments);
    let clients = Clients::provision()?;
    let browser = Browser::provision()?;
    let faketime = Faketime::provision()?;
    let operations = Operations::provision()?;
    let server = Server::start(Durability::Fast)?;
    let mut cargo = workspace::cargo();
    cargo.arg("test");
    if !arguments.choose_packages() {
        cargo.arg("--workspace");
    }
    cargo.arg("--no-fail-fast").args(&arguments.cargo);
    cargo.args(["--", "--include-ignored"]).args(&arguments.binary);
    for slow in ON_REQUEST.iter().filter(|slow| !arguments.name(slow)) {
        cargo.args(["--skip", slow]);
    }
    server.describe_to(&mut cargo);
    clients.describe_to(&mut cargo);
    browser.describe_to(&mut cargo);
    faketime.describe_to(&mut cargo);
    operations.describe_to(&mut cargo);
    command::status(&mut cargo)
}

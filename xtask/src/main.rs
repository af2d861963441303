//! The workspace's own commands: what each one is called, and what it gets from the command line.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

mod arguments;
mod bench;
mod browser;
mod check;
mod clients;
mod command;
mod debian;
mod faketime;
mod mutants;
mod operations;
mod os_user;
mod postgres;
mod step;
mod test;
mod workspace;

use std::{env, error::Error, ffi::OsString, process::ExitCode};

use browser::Browser;
use clients::Clients;
use operations::Operations;
use postgres::{Durability, Installation, Server};

/// What a command of this tool answers: a value, or a message for the person who called it.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Exit status of a command line that this tool does not understand, as shells and cargo have it.
const EXIT_USAGE: u8 = 2;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test [CARGO_TEST_ARGS] [-- TEST_BINARY_ARGS]
              Run the tests of the workspace, with a throw-away Postgres, the client libraries, a browser and gateways;
              those that take many minutes when a filter names them (browser::screenshots)
  setup       Install what the tests need where it is missing, and print what was found
  check       Formatting, clippy and documentation, each with warnings as errors
  ci          check, then test: what has to pass before a change lands
  bench [ARGS]
              Build for release and run the load benchmark against a durable throw-away Postgres
  mutants [NAME...]
              Prove the fault suite: build the server with wrong orders of its protocol, and let the suite find each
  postgres [--] PROGRAM [ARGS]
              Run a program with a throw-away Postgres: its address is in TEST_DATABASE_URL
  help        Print this text

Environment that is read:
  TEST_DATABASE_URL   use this server instead of a throw-away one
  JETON_TEST_PG_BIN   directory with initdb, pg_ctl and postgres to use instead of searching
  JETON_TEST_PG_USER  operating system user that runs Postgres if xtask runs as root
  CARGO_TARGET_DIR    where downloaded parts are kept (default: target/)

Environment that tests, benchmarks and programs get:
  TEST_DATABASE_URL, JETON_TEST_PG_BIN, JETON_TEST_PG_USER  as above, filled in
  JETON_TEST_PYTHON     python with the packages of tests/clients/requirements.txt
  JETON_TEST_NODE       the node binary
  JETON_TEST_CHROMIUM, JETON_TEST_CHROMEDRIVER  the browser and its WebDriver
  JETON_TEST_NODE_PATH  node_modules with the packages of tests/clients/package.json
  JETON_TEST_NGINX, _CADDY, _HAPROXY, _TRAEFIK, _ENVOY  the gateways of deploy/gateways
  JETON_TEST_PROMTOOL, _SYSTEMD_ANALYZE  what judges the files of deploy/
  JETON_TEST_GO, _JAVA    languages of deploy/examples
";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    match dispatch(&command.to_string_lossy(), arguments.collect()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command and returns the exit status it asks for.
fn dispatch(command: &str, arguments: Vec<OsString>) -> Result<u8> {
    match command {
        "test" => test::run(arguments),
        "bench" => bench::run(&arguments),
        "mutants" => mutants::run(&arguments),
        "postgres" => with_postgres(&arguments),
        "setup" if arguments.is_empty() => setup(),
        "check" if arguments.is_empty() => check::run(),
        "ci" if arguments.is_empty() => match check::run()? {
            0 => step::timed("test", || test::run(Vec::new())),
            failed => Ok(failed),
        },
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(0)
        }
        _ => {
            eprint!("{USAGE}");
            Ok(EXIT_USAGE)
        }
    }
}

fn setup() -> Result<u8> {
    let postgres = Installation::find_or_provision()?;
    let clients = Clients::provision()?;
    let browser = Browser::provision()?;
    let operations = Operations::provision()?;
    println!("{postgres}\n{clients}\n{browser}\n{operations}");
    Ok(0)
}

fn with_postgres(arguments: &[OsString]) -> Result<u8> {
    let Some((program, arguments)) = arguments::program(arguments) else {
        eprint!("{USAGE}");
        return Ok(EXIT_USAGE);
    };
    let server = Server::start(Durability::Fast)?;
    let mut child = std::process::Command::new(program);
    workspace::forget_cargo_run(child.args(arguments));
    server.describe_to(&mut child);
    command::status(&mut child)
}

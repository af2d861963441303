//! The command line. Data goes to standard output, everything else to standard error.

mod args;
mod audit;
mod bulk;
mod catalog;
mod client;
mod config;
mod confirm;
mod doctor;
mod event;
mod exit;
mod explain;
mod health;
mod legacy;
mod notify;
mod output;
mod policy;
mod reload;
mod remote;
mod resource;
mod revocation;
mod serve;
mod store;
mod token;
mod user;
mod webhook;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use args::{Cli, Command};
use clap::{CommandFactory as _, Parser as _};
pub use exit::Exit;

use crate::config::{Loaded, Sources};

/// Runs the command line and returns the process's exit code.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(help) => {
            let _nobody_reads = help.print();
            return if help.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    match dispatch(cli) {
        Ok(()) => Exit::Ok.into(),
        Err(failed) => {
            exit::report(&failed);
            failed.exit.into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), exit::Failed> {
    let load = |overrides: Vec<(String, String)>| -> Result<Loaded, exit::Failed> {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let sources = Sources { file: cli.config.clone(), environment: environment.collect(), overrides };
        Ok(crate::config::load(&sources)?)
    };
    match cli.command.unwrap_or_else(|| Command::Serve(args::Serve::default())) {
        Command::Serve(serve) => serve::serve(&|| Ok(load(serve.set.clone())?.config)),
        Command::Migrate => serve::migrate(&load(Vec::new())?.config),
        Command::Store(command) => store::run(&command, &load(Vec::new())?.config),
        Command::Doctor(command) => doctor::run(command, &load(Vec::new())),
        Command::Health => health::check(&load(Vec::new())?.config),
        Command::Config(command) => config::run(&command, load),
        Command::Token(command) => token::run(command),
        Command::Client(command) => client::run(command),
        Command::User(command) => user::run(command),
        Command::Workspace(command) => workspace::run(command),
        Command::Api(command) => catalog::run_api(command),
        Command::Plan(command) => catalog::run_plan(command),
        Command::Policy(command) => policy::run(command),
        Command::Audit(command) => audit::run(command),
        Command::Event(command) => event::run(command),
        Command::Webhook(command) => webhook::run(command),
        Command::Legacy(command) => legacy::run(command),
        Command::Explain(command) => explain::run(command),
        Command::Revocation(command) => revocation::run(command),
        Command::Openapi => {
            let text =
                serde_json::to_string_pretty(&crate::http::openapi::document()).map_err(exit::Failed::internal)?;
            output::raw(format!("{text}\n").as_bytes())
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "jeton", &mut script);
            output::raw(&script)
        }
        Command::Man { dir: None } => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(exit::Failed::internal)?;
            output::raw(&page)
        }
        Command::Man { dir: Some(dir) } => {
            let written = std::fs::create_dir_all(&dir).and_then(|()| clap_mangen::generate_to(Cli::command(), &dir));
            written.map_err(|error| exit::Failed::new(Exit::Failed, format!("{}: {error}", dir.display())))
        }
    }
}

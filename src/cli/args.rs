//! The grammar of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::audit::Audit;
use super::catalog::{ApiCommand, Plan};
use super::client::Client;
use super::doctor::Doctor;
use super::event::Event;
use super::explain::Explain;
use super::legacy::Legacy;
use super::policy::Policy;
use super::revocation::Revocation;
use super::store::StoreCommand;
use super::token::Token;
use super::user::User;
use super::webhook::Webhook;
use super::workspace::Workspace;

/// An OAuth 2.0 token service: issues, validates and revokes bearer tokens.
#[derive(Debug, Parser)]
#[command(name = "jeton", version, about, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "Without a command the service starts, as with `jeton serve`.")]
pub(super) struct Cli {
    /// Configuration file (also JETON_CONFIG; else ./config/jeton.toml, /etc/jeton/jeton.toml)
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start the service
    Serve(Serve),
    /// Bring the database schema up to date
    Migrate,
    /// Back up the SQLite file, or say that the database was restored
    #[command(subcommand)]
    Store(StoreCommand),
    /// Look for what stands in the way of the service on this machine; change nothing
    Doctor(Doctor),
    /// Ask the running service on this machine whether it is ready
    Health,
    /// Look at the configuration
    #[command(subcommand)]
    Config(Config),
    /// Manage tokens: your own, or with --admin those of everyone
    #[command(subcommand)]
    Token(Token),
    /// Manage OAuth clients of the workspace (role admin)
    #[command(subcommand)]
    Client(Client),
    /// Manage the people of the workspace (role admin)
    #[command(subcommand)]
    User(User),
    /// Manage workspaces (role operator)
    #[command(subcommand)]
    Workspace(Workspace),
    /// Manage APIs: protected resources with their scopes (role admin)
    #[command(subcommand)]
    Api(ApiCommand),
    /// Manage plans: named usage limits (role admin)
    #[command(subcommand)]
    Plan(Plan),
    /// Look at the policies that tokens are issued under
    #[command(subcommand)]
    Policy(Policy),
    /// Read the audit log (role admin)
    #[command(subcommand)]
    Audit(Audit),
    /// Follow what happens in the workspace (role admin)
    #[command(subcommand)]
    Event(Event),
    /// Manage webhooks, which events are sent to (role admin)
    #[command(subcommand)]
    Webhook(Webhook),
    /// Look after tokens of an older system (role admin)
    #[command(subcommand)]
    Legacy(Legacy),
    /// Tell why a request or a token was refused (role admin)
    Explain(Explain),
    /// Look at revocations (role admin)
    #[command(subcommand)]
    Revocation(Revocation),
    /// Print the OpenAPI document
    Openapi,
    /// Print a completion script
    Completions { shell: Shell },
    /// Print the manual page, or write those of all commands
    Man {
        /// Write one page for each command into this directory
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Default, Args)]
pub(super) struct Serve {
    /// Set one configuration key, for instance http.listen=127.0.0.1:8081
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Check the configuration and say which file it came from
    Check,
    /// Print the configuration in force; secrets are hidden
    Print {
        /// Say where each value came from
        #[arg(long)]
        show_origin: bool,
    },
    /// Print the JSON schema of the configuration file
    Schema,
    /// Write a configuration file with every key, its default and a comment
    Init {
        /// Where to; never overwritten
        #[arg(default_value = "config/jeton.toml")]
        path: PathBuf,
        /// Print it instead
        #[arg(long)]
        stdout: bool,
    },
}

/// What the management commands share.
#[derive(Debug, Args)]
pub(super) struct Remote {
    /// URL of the service
    #[arg(long, env = "JETON_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub url: String,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Ndjson,
    Csv,
}

/// How a destructive command asks.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Confirmation {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Fail instead of asking
    #[arg(long)]
    pub no_input: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) const TOKEN_HELP: &str = "The token or API key to work with is read from JETON_TOKEN, or from the file that \
     JETON_TOKEN_FILE names; it is never an argument.";

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    if key.starts_with("keys.") {
        return Err("a key is never an argument: use JETON__KEYS__MASTER_FILE".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

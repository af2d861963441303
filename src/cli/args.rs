//! The grammar of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

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
    /// Ask the running service on this machine whether it is ready
    Health,
    /// Look at the configuration
    #[command(subcommand)]
    Config(Config),
    /// Manage OAuth clients of the workspace (role admin)
    #[command(subcommand)]
    Client(Client),
    /// Manage your own tokens
    #[command(subcommand)]
    Token(Token),
    /// Print the OpenAPI document
    Openapi,
    /// Print a completion script
    Completions { shell: Shell },
    /// Print the manual page
    Man,
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
}

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Client {
    /// Register a client; its secret is printed once
    Create {
        name: String,
        /// client_credentials or refresh_token; repeat for several
        #[arg(long = "grant-type", default_value = "client_credentials")]
        grant_types: Vec<String>,
        /// Repeat for several
        #[arg(long = "scope")]
        scopes: Vec<String>,
        /// Repeat for several
        #[arg(long = "redirect-uri")]
        redirect_uris: Vec<String>,
        /// client_secret_basic, client_secret_post or none
        #[arg(long, default_value = "client_secret_basic")]
        auth_method: String,
        /// The client may ask about every token of the workspace
        #[arg(long)]
        introspect: bool,
        /// Keep a client id from another authorization server
        #[arg(long)]
        client_id: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// List clients
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one client
    Show {
        client_id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Delete a client and revoke everything that was issued to it
    Delete {
        client_id: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
}

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Token {
    /// Make a token; its secret is printed once
    Create {
        /// For instance access, api or key
        #[arg(long)]
        policy: String,
        #[arg(long)]
        name: Option<String>,
        /// For instance 30m, 6h, 90d
        #[arg(long)]
        lifetime: Option<String>,
        /// Repeat for several
        #[arg(long = "scope")]
        scopes: Vec<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// List your tokens, newest first
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one token
    Show {
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Revoke one token, and what its policy says goes with it
    Revoke {
        id: String,
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
    /// Revoke all your tokens of one policy
    RevokeAll {
        #[arg(long, default_value = "access")]
        policy: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
}

const TOKEN_HELP: &str = "The token or API key to work with is read from JETON_TOKEN, or from the file that \
     JETON_TOKEN_FILE names; it is never an argument.";

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    if key.starts_with("keys.") {
        return Err("a key is never an argument: use JETON__KEYS__MASTER_FILE".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

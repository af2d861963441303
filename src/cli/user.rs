//! `jeton user …`

use clap::Subcommand;
use serde_json::{Value, json};

use super::args::{Confirmation, Remote, TOKEN_HELP};
use super::exit::{Exit, Failed};
use super::resource::{Filters, Resource, body};

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum User {
    /// Make a user
    Create {
        username: String,
        #[arg(long)]
        email: Option<String>,
        /// member, admin or operator
        #[arg(long, default_value = "member")]
        role: String,
        /// Read a password from standard input
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// List the people of the workspace, newest first
    List {
        /// member, admin or operator; repeat for several
        #[arg(long = "role")]
        roles: Vec<String>,
        #[command(flatten)]
        filters: Filters,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one user
    Show {
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Change a user; what is not given stays as it is
    Edit {
        id: String,
        /// An empty text removes it
        #[arg(long)]
        email: Option<String>,
        /// member, admin or operator
        #[arg(long)]
        role: Option<String>,
        /// Whether they may make tokens of their own
        #[arg(long)]
        tokens_allowed: Option<bool>,
        /// Read a new password from standard input
        #[arg(long, conflicts_with = "no_password")]
        password_stdin: bool,
        /// Take the password away: no sign-in with one
        #[arg(long)]
        no_password: bool,
        /// Who they are to the provider that people sign in by: the sub of its ID tokens
        #[arg(long, conflicts_with = "no_subject")]
        subject: Option<String>,
        /// Untie them from the provider
        #[arg(long)]
        no_subject: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Delete a user and revoke everything that they hold
    Delete {
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
}

const USERS: Resource = Resource {
    path: "/admin/v1/users",
    columns: &["id", "username", "email", "role", "tokens_allowed", "has_password", "created_at"],
    one: "user",
};

pub(super) fn run(command: User) -> Result<(), Failed> {
    match command {
        User::Create { username, email, role, password_stdin, remote } => {
            let body = body([
                ("username", Some(json!(username))),
                ("email", email.map(Into::into)),
                ("role", Some(json!(role))),
                ("password", password(password_stdin)?),
            ]);
            USERS.create(body, &remote)
        }
        User::List { roles, filters, remote } => {
            let pairs = roles.into_iter().map(|role| ("role".to_owned(), role)).collect();
            USERS.export(&filters.into_pairs(pairs), &remote)
        }
        User::Show { id, remote } => USERS.show(&id, &remote),
        User::Edit { id, email, role, tokens_allowed, password_stdin, no_password, subject, no_subject, remote } => {
            let (removed, untied) = (no_password.then_some(Value::Null), no_subject.then_some(Value::Null));
            let patch = body([
                ("email", email.map(|email| if email.is_empty() { Value::Null } else { email.into() })),
                ("role", role.map(Into::into)),
                ("tokens_allowed", tokens_allowed.map(Into::into)),
                ("password", password(password_stdin)?.or(removed)),
                ("identity", subject.map(|subject| json!({ "subject": subject })).or(untied)),
            ]);
            USERS.edit(&id, patch, &remote)
        }
        User::Delete { id, confirmation, remote } => {
            USERS.delete(&id, "Everything that they hold is revoked.", confirmation, &remote)
        }
    }
}

/// A secret is never an argument.
pub(super) fn password(from_stdin: bool) -> Result<Option<Value>, Failed> {
    if !from_stdin {
        return Ok(None);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Failed::internal)?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => Err(Failed::new(Exit::Usage, "there is no password on standard input")),
        password => Ok(Some(json!(password))),
    }
}

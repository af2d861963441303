//! `jeton workspace …`

use clap::Subcommand;
use serde_json::json;

use super::args::{Confirmation, Remote, TOKEN_HELP};
use super::exit::Failed;
use super::resource::{Filters, Resource, body};
use super::user::password;

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Workspace {
    /// Make a workspace with its first administrator, whose API key is printed once
    Create {
        /// As in a host name; it never changes
        name: String,
        #[arg(long, default_value = "admin")]
        admin_username: String,
        #[arg(long)]
        admin_email: Option<String>,
        /// Read the administrator's password from standard input
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// List workspaces, newest first
    List {
        #[command(flatten)]
        filters: Filters,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one workspace
    Show {
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Change a workspace
    Edit {
        id: String,
        /// Whether its administrators may revoke tokens that an OAuth flow made
        #[arg(long)]
        admin_override: Option<bool>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Delete a workspace with everything that is in it
    Delete {
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
}

const WORKSPACES: Resource = Resource {
    path: "/admin/v1/workspaces",
    columns: &["id", "name", "admin_override", "created_at"],
    one: "workspace",
};

pub(super) fn run(command: Workspace) -> Result<(), Failed> {
    match command {
        Workspace::Create { name, admin_username, admin_email, password_stdin, remote } => {
            let admin = body([
                ("username", Some(json!(admin_username))),
                ("email", admin_email.map(Into::into)),
                ("password", password(password_stdin)?),
            ]);
            WORKSPACES.create(body([("name", Some(json!(name))), ("admin", Some(admin.into()))]), &remote)
        }
        Workspace::List { filters, remote } => WORKSPACES.export(&filters.into_pairs(Vec::new()), &remote),
        Workspace::Show { id, remote } => WORKSPACES.show(&id, &remote),
        Workspace::Edit { id, admin_override, remote } => {
            WORKSPACES.edit(&id, body([("admin_override", admin_override.map(Into::into))]), &remote)
        }
        Workspace::Delete { id, confirmation, remote } => {
            WORKSPACES.delete(&id, "All that is in it goes with it.", confirmation, &remote)
        }
    }
}

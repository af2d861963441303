//! `jeton client …`

use clap::Subcommand;
use serde_json::json;

use super::args::{Confirmation, Remote, TOKEN_HELP};
use super::exit::Failed;
use super::output;
use super::remote::Api;
use super::resource::{Filters, Resource, body, replaced};

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
    /// List clients, newest first
    List {
        #[command(flatten)]
        filters: Filters,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one client
    Show {
        client_id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Change a client; what is not given stays as it is
    Edit {
        client_id: String,
        #[arg(long)]
        name: Option<String>,
        /// All of them; repeat for several, one empty text for none
        #[arg(long = "grant-type")]
        grant_types: Vec<String>,
        /// All of them; repeat for several, one empty text for none
        #[arg(long = "scope")]
        scopes: Vec<String>,
        /// All of them; repeat for several, one empty text for none
        #[arg(long = "redirect-uri")]
        redirect_uris: Vec<String>,
        #[arg(long)]
        introspect: Option<bool>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Give a client a new secret, which is printed once
    RotateSecret {
        client_id: String,
        /// How long the secret before is accepted too, for instance 1h
        #[arg(long)]
        overlap: Option<String>,
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

const CLIENTS: Resource = Resource {
    path: "/admin/v1/clients",
    columns: &["client_id", "name", "grant_types", "scopes", "token_endpoint_auth_method", "created_at"],
    one: "client",
};

pub(super) fn run(command: Client) -> Result<(), Failed> {
    match command {
        Client::Create { name, grant_types, scopes, redirect_uris, auth_method, introspect, client_id, remote } => {
            let body = body([
                ("name", Some(json!(name))),
                ("grant_types", Some(json!(grant_types))),
                ("scopes", Some(json!(scopes))),
                ("redirect_uris", Some(json!(redirect_uris))),
                ("token_endpoint_auth_method", Some(json!(auth_method))),
                ("introspect", Some(json!(introspect))),
                ("client_id", client_id.map(Into::into)),
            ]);
            CLIENTS.create(body, &remote)
        }
        Client::List { filters, remote } => CLIENTS.export(&filters.into_pairs(Vec::new()), &remote),
        Client::Show { client_id, remote } => CLIENTS.show(&client_id, &remote),
        Client::Edit { client_id, name, grant_types, scopes, redirect_uris, introspect, remote } => {
            let patch = body([
                ("name", name.map(Into::into)),
                ("grant_types", replaced(grant_types)),
                ("scopes", replaced(scopes)),
                ("redirect_uris", replaced(redirect_uris)),
                ("introspect", introspect.map(Into::into)),
            ]);
            CLIENTS.edit(&client_id, patch, &remote)
        }
        Client::RotateSecret { client_id, overlap, remote } => {
            let path = format!("{}/rotate-secret", CLIENTS.one(&client_id));
            let body = body([("overlap", overlap.map(Into::into))]);
            output::object(&Api::new(&remote)?.post(&path, &body.into())?, remote.output)
        }
        Client::Delete { client_id, confirmation, remote } => {
            CLIENTS.delete(&client_id, "Everything that was issued to it is revoked.", confirmation, &remote)
        }
    }
}

//! `jeton webhook …`

use clap::Subcommand;
use serde_json::json;

use super::args::{Confirmation, Remote, TOKEN_HELP};
use super::exit::{Exit, Failed};
use super::output;
use super::remote::Api;
use super::resource::{Resource, body, given, replaced};

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Webhook {
    /// Have events sent to a URL; the secret that they are signed with is printed once
    Create {
        #[arg(value_name = "URL")]
        receiver: String,
        /// What is sent, for instance token.leaked; repeat for several, none for all
        #[arg(long = "type")]
        types: Vec<String>,
        /// What people call it
        #[arg(long)]
        description: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// List webhooks, newest first
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one webhook, and how its deliveries are doing
    Show {
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Change a webhook, or switch it off and on; what is not given stays as it is
    Edit {
        id: String,
        /// Where to
        #[arg(long, value_name = "URL")]
        receiver: Option<String>,
        /// All of them; repeat for several, one empty text for all that there are
        #[arg(long = "type")]
        types: Vec<String>,
        #[arg(long)]
        description: Option<String>,
        #[arg(long)]
        enabled: Option<bool>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Give a webhook a new secret, which is printed once
    RotateSecret {
        id: String,
        /// For how long messages are signed with the secret before too, for instance 1h
        #[arg(long)]
        overlap: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Send a message that says nothing, and tell what came of it; fails if it was not taken
    Test {
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Delete a webhook; what it has not been told yet, it never will
    Delete {
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
}

const WEBHOOKS: Resource = Resource {
    path: "/admin/v1/webhooks",
    columns: &["id", "url", "description", "types", "enabled", "created_at"],
    one: "webhook",
};

pub(super) fn run(command: Webhook) -> Result<(), Failed> {
    match command {
        Webhook::Create { receiver, types, description, remote } => {
            let members =
                [("url", Some(json!(receiver))), ("types", given(types)), ("description", description.map(Into::into))];
            WEBHOOKS.create(body(members), &remote)
        }
        Webhook::List { remote } => {
            let page = Api::new(&remote)?.get(WEBHOOKS.path)?;
            output::rows(page["data"].as_array().map_or(&[], Vec::as_slice), WEBHOOKS.columns, remote.output)
        }
        Webhook::Show { id, remote } => WEBHOOKS.show(&id, &remote),
        Webhook::Edit { id, receiver, types, description, enabled, remote } => {
            let patch = body([
                ("url", receiver.map(Into::into)),
                ("types", replaced(types)),
                ("description", description.map(Into::into)),
                ("enabled", enabled.map(Into::into)),
            ]);
            WEBHOOKS.edit(&id, patch, &remote)
        }
        Webhook::RotateSecret { id, overlap, remote } => {
            let body = body([("overlap", overlap.map(Into::into))]);
            let path = format!("{}/rotate-secret", WEBHOOKS.one(&id));
            output::object(&Api::new(&remote)?.post(&path, &body.into())?, remote.output)
        }
        Webhook::Test { id, remote } => {
            let result = Api::new(&remote)?.post(&format!("{}/test", WEBHOOKS.one(&id)), &json!({}))?;
            output::object(&result, remote.output)?;
            match result["error"].as_str() {
                None => Ok(()),
                Some(error) => Err(Failed::new(Exit::Failed, error)),
            }
        }
        Webhook::Delete { id, confirmation, remote } => {
            WEBHOOKS.delete(&id, "What it has not been told yet, it never will.", confirmation, &remote)
        }
    }
}

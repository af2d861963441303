//! `jeton api …` and `jeton plan …`

use clap::Subcommand;
use serde_json::json;

use super::args::{Confirmation, Remote, TOKEN_HELP};
use super::exit::Failed;
use super::resource::{Filters, Resource, body, replaced};

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum ApiCommand {
    /// Make an API
    Create {
        /// Tokens know it by this name; it never changes
        name: String,
        /// Its URI
        #[arg(long)]
        audience: String,
        /// Repeat for several
        #[arg(long = "scope")]
        scopes: Vec<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// List APIs, newest first
    List {
        #[command(flatten)]
        filters: Filters,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one API
    Show {
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Change an API; what is not given stays as it is
    Edit {
        id: String,
        #[arg(long)]
        audience: Option<String>,
        /// All of them; repeat for several, one empty text for none
        #[arg(long = "scope")]
        scopes: Vec<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Delete an API; tokens that name it no longer cover it
    Delete {
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
}

#[derive(Debug, Subcommand)]
#[command(after_help = TOKEN_HELP)]
pub(super) enum Plan {
    /// Make a plan
    Create {
        /// Tokens know it by this name; it never changes
        name: String,
        /// How many requests it allows in a period
        #[arg(long)]
        requests: u32,
        /// For instance 1m, 1h, 1d
        #[arg(long)]
        period: String,
        /// APIs that it counts; repeat for several, none for all
        #[arg(long = "api")]
        apis: Vec<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// List plans, newest first
    List {
        #[command(flatten)]
        filters: Filters,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one plan
    Show {
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Change a plan; what is not given stays as it is
    Edit {
        id: String,
        #[arg(long)]
        requests: Option<u32>,
        #[arg(long)]
        period: Option<String>,
        /// All of them; repeat for several, one empty text for all APIs
        #[arg(long = "api")]
        apis: Vec<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Delete a plan; tokens that name it are no longer limited by it
    Delete {
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
        #[command(flatten)]
        remote: Remote,
    },
}

const APIS: Resource =
    Resource { path: "/admin/v1/apis", columns: &["id", "name", "audience", "scopes", "created_at"], one: "API" };

const PLANS: Resource = Resource {
    path: "/admin/v1/plans",
    columns: &["id", "name", "requests", "period", "apis", "created_at"],
    one: "plan",
};

pub(super) fn run_api(command: ApiCommand) -> Result<(), Failed> {
    match command {
        ApiCommand::Create { name, audience, scopes, remote } => {
            let members = [("name", json!(name)), ("audience", json!(audience)), ("scopes", json!(scopes))];
            APIS.create(body(members.map(|(name, value)| (name, Some(value)))), &remote)
        }
        ApiCommand::List { filters, remote } => APIS.export(&filters.into_pairs(Vec::new()), &remote),
        ApiCommand::Show { id, remote } => APIS.show(&id, &remote),
        ApiCommand::Edit { id, audience, scopes, remote } => {
            APIS.edit(&id, body([("audience", audience.map(Into::into)), ("scopes", replaced(scopes))]), &remote)
        }
        ApiCommand::Delete { id, confirmation, remote } => {
            APIS.delete(&id, "Tokens that name it no longer cover it.", confirmation, &remote)
        }
    }
}

pub(super) fn run_plan(command: Plan) -> Result<(), Failed> {
    match command {
        Plan::Create { name, requests, period, apis, remote } => {
            let members = [
                ("name", json!(name)),
                ("requests", json!(requests)),
                ("period", json!(period)),
                ("apis", json!(apis)),
            ];
            PLANS.create(body(members.map(|(name, value)| (name, Some(value)))), &remote)
        }
        Plan::List { filters, remote } => PLANS.export(&filters.into_pairs(Vec::new()), &remote),
        Plan::Show { id, remote } => PLANS.show(&id, &remote),
        Plan::Edit { id, requests, period, apis, remote } => {
            let patch = body([
                ("requests", requests.map(Into::into)),
                ("period", period.map(Into::into)),
                ("apis", replaced(apis)),
            ]);
            PLANS.edit(&id, patch, &remote)
        }
        Plan::Delete { id, confirmation, remote } => {
            PLANS.delete(&id, "Tokens that name it are no longer limited by it.", confirmation, &remote)
        }
    }
}

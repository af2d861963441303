//! `jeton token …`

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::args::{Confirmation, Remote, TOKEN_HELP};
use super::bulk::{self, Bulk};
use super::confirm::destroy;
use super::exit::{Exit, Failed};
use super::legacy::{self, Import};
use super::output;
use super::remote::Api;
use super::resource::{Filters, Resource, body, dry, given, pair, replaced};

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
        about: About,
        #[command(flatten)]
        remote: Remote,
    },
    /// List tokens, newest first
    List {
        /// active, expired, disabled or revoked; repeat for several
        #[arg(long = "status")]
        statuses: Vec<String>,
        /// Repeat for several
        #[arg(long = "policy")]
        policies: Vec<String>,
        #[command(flatten)]
        filters: Filters,
        /// Those of everyone in the workspace (role admin)
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one token
    Show {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        remote: Remote,
    },
    /// Change a token; what is not given stays as it is
    Edit {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        about: About,
        #[command(flatten)]
        remote: Remote,
    },
    /// Give a token a new secret, which is printed once
    Rotate {
        #[command(flatten)]
        one: One,
        /// How long the secret before is accepted too, for instance 1h
        #[arg(long)]
        overlap: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Disable a token for good; it stays in the list
    Disable {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        end: End,
        #[command(flatten)]
        remote: Remote,
    },
    /// Disable a token for good and take it out of the list
    Delete {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        end: End,
        #[command(flatten)]
        remote: Remote,
    },
    /// Revoke one token, and what its policy says goes with it
    Revoke {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        end: End,
        #[command(flatten)]
        remote: Remote,
    },
    /// Import tokens of an older system from a file (role admin)
    Import(Import),
    /// Disable, delete or revoke many tokens in one step
    Bulk(Bulk),
    /// Revoke all tokens of one policy, or with --admin all of an owner
    RevokeAll {
        /// Of your own tokens `access` where it is left out; of an owner every policy
        #[arg(long)]
        policy: Option<String>,
        /// A user id or a client id of the workspace (role admin)
        #[arg(long)]
        owner: Option<String>,
        /// Refuse when another number of tokens would be revoked
        #[arg(long)]
        expect_count: Option<u64>,
        #[command(flatten)]
        end: End,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Which token.
#[derive(Debug, clap::Args)]
pub(super) struct One {
    #[command(flatten)]
    id: Id,
    /// It is somebody else's in the workspace (role admin)
    #[arg(long)]
    admin: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Id {
    /// Its public id, grt_…
    id: String,
}

/// What a token is about besides its policy.
#[derive(Debug, clap::Args)]
pub(super) struct About {
    /// A user id or a client id of the workspace (role admin)
    #[arg(long)]
    owner: Option<String>,
    /// Name of an API; repeat for several
    #[arg(long = "api")]
    apis: Vec<String>,
    /// Name of a plan; repeat for several (role admin)
    #[arg(long = "plan")]
    plans: Vec<String>,
    /// An extra field; repeat for several
    #[arg(long = "extra", value_name = "NAME=VALUE", value_parser = pair)]
    extra_fields: Vec<(String, String)>,
    /// As an administrator: tokens of everyone, and policies that owners may not use
    #[arg(long)]
    admin: bool,
}

/// How tokens end.
#[derive(Debug, clap::Args)]
pub(super) struct End {
    /// Kept with the act
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    confirmation: Confirmation,
}

const COLUMNS: &[&str] = &["id", "name", "policy", "status", "owner", "created_at", "expires_at", "last_used_at"];

const fn tokens(admin: bool) -> Resource {
    Resource { path: if admin { "/admin/v1/tokens" } else { "/api/v1/tokens" }, columns: COLUMNS, one: "token" }
}

pub(super) fn run(command: Token) -> Result<(), Failed> {
    match command {
        Token::Create { policy, name, lifetime, scopes, about, remote } => {
            let admin = about.admin || about.owner.is_some();
            let mut body = body([
                ("policy", Some(json!(policy))),
                ("name", name.map(Into::into)),
                ("lifetime", lifetime.map(Into::into)),
                ("scopes", Some(json!(scopes))),
            ]);
            body.append(&mut about.into_members(given));
            made(Api::new(&remote)?.post(tokens(admin).path, &body.into())?, &remote)
        }
        Token::List { statuses, policies, filters, admin, remote } => {
            let named = [("status", statuses), ("policy", policies)];
            let pairs = named
                .into_iter()
                .flat_map(|(name, values)| values.into_iter().map(move |value| (name.to_owned(), value)));
            tokens(admin).export(&filters.into_pairs(pairs.collect()), &remote)
        }
        Token::Show { one, remote } => tokens(one.admin).show(&one.id.id, &remote),
        Token::Edit { id, about, remote } => {
            tokens(about.admin || about.owner.is_some()).edit(&id.id, about.into_members(replaced), &remote)
        }
        Token::Rotate { one, overlap, remote } => {
            let body = body([("overlap", overlap.map(Into::into))]);
            made(Api::new(&remote)?.post(&one.path("rotate"), &body.into())?, &remote)
        }
        Token::Disable { one, end, remote } => {
            let question = format!("Disable token {} for good? Requests with it will get HTTP 401.", one.id.id);
            one.end("disable", &question, end, &remote)
        }
        Token::Delete { one, end, remote } => {
            if end.reason.is_some() {
                return Err(Failed::new(Exit::Usage, "a deletion has no reason: revoke the token with one first"));
            }
            tokens(one.admin).delete(&one.id.id, "Requests with it will get HTTP 401.", end.confirmation, &remote)
        }
        Token::Revoke { one, end, remote } => {
            let question = format!("Revoke token {}? Requests with it will get HTTP 401.", one.id.id);
            one.end("revoke", &question, end, &remote)
        }
        Token::Import(file) => legacy::import(file),
        Token::Bulk(many) => bulk::run(many),
        Token::RevokeAll { policy, owner, expect_count, end, remote } => {
            let api = Api::new(&remote)?;
            let path = format!("{}/revoke-all", tokens(owner.is_some()).path);
            let whose =
                owner.as_deref().map_or_else(|| "your".to_owned(), |owner| format!("the tokens of {owner}, all"));
            let question = match &policy {
                Some(policy) => format!("Revoke {whose} tokens of policy {policy}?"),
                None => format!("Revoke {whose} tokens?"),
            };
            destroy(&question, end.confirmation, &remote, |dry_run| {
                let body = body([
                    ("policy", policy.clone().map(Into::into)),
                    ("owner", owner.clone().map(Into::into)),
                    ("reason", end.reason.clone().map(Into::into)),
                    ("expect_count", expect_count.map(Into::into)),
                    ("dry_run", dry_run.then_some(Value::Bool(true))),
                ]);
                api.post(&path, &body.into())
            })
        }
    }
}

impl One {
    fn path(&self, act: &str) -> String {
        format!("{}/{act}", tokens(self.admin).one(&self.id.id))
    }

    fn end(&self, act: &str, question: &str, end: End, remote: &Remote) -> Result<(), Failed> {
        let api = Api::new(remote)?;
        let End { reason, confirmation } = end;
        destroy(question, confirmation, remote, |dry_run| {
            let body = body([("reason", reason.clone().map(Into::into))]);
            let answer = api.post(&dry(&self.path(act), dry_run), &body.into())?;
            Ok(if answer["token"].is_object() { answer["token"].clone() } else { answer })
        })
    }
}

impl About {
    fn into_members(self, list: fn(Vec<String>) -> Option<Value>) -> Map<String, Value> {
        let extra: Map<String, Value> =
            self.extra_fields.into_iter().map(|(name, value)| (name, value.into())).collect();
        body([
            ("owner", self.owner.map(Into::into)),
            ("apis", list(self.apis)),
            ("plans", list(self.plans)),
            ("extra_fields", (!extra.is_empty()).then(|| extra.into())),
        ])
    }
}

/// A new secret: the id first, then what must be copied now.
fn made(mut made: Value, remote: &Remote) -> Result<(), Failed> {
    if let Some(answer) = made.as_object_mut() {
        let id = answer["token"]["id"].clone();
        answer.insert("token".to_owned(), id);
    }
    output::object(&made, remote.output)
}

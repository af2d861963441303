//! `jeton token bulk`: many tokens in one step.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::args::{Confirmation, Remote};
use super::confirm::destroy;
use super::exit::{Exit, Failed};
use super::remote::Api;
use super::resource::{Filters, body};

#[derive(Debug, Args)]
pub(super) struct Bulk {
    /// What is done with each
    #[arg(value_enum)]
    action: Action,
    /// Public ids, grt_…
    ids: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Without ids and filters: every token
    #[arg(long)]
    all: bool,
    /// Refuse when another number of tokens would be changed
    #[arg(long)]
    expect_count: Option<u64>,
    /// Kept with the act
    #[arg(long)]
    reason: Option<String>,
    /// Those of everyone in the workspace (role admin)
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Action {
    Disable,
    Delete,
    Revoke,
}

/// Filters that take one value; the others take any number.
const SINGLE: &[&str] = &[
    "code",
    "created_after",
    "created_before",
    "expires_after",
    "expires_before",
    "last_used_after",
    "last_used_before",
    "q",
];

pub(super) fn run(bulk: Bulk) -> Result<(), Failed> {
    let Bulk { action, ids, filters, all, expect_count, reason, admin, confirmation, remote } = bulk;
    let pairs = filters.into_pairs(Vec::new());
    if ids.is_empty() && pairs.is_empty() && !all {
        return Err(Failed::new(Exit::Usage, "say which tokens: ids, filters, or --all"));
    }
    let action = match action {
        Action::Disable => "disable",
        Action::Delete => "delete",
        Action::Revoke => "revoke",
    };
    let filter = if ids.is_empty() || !pairs.is_empty() { Some(Value::Object(filter(pairs))) } else { None };
    let api = Api::new(&remote)?;
    let path = if admin { "/admin/v1/tokens/bulk" } else { "/api/v1/tokens/bulk" };
    let question = format!("Go on to {action} these tokens? Requests with them will get HTTP 401.");
    destroy(&question, confirmation, &remote, |dry_run| {
        let body = body([
            ("action", Some(json!(action))),
            ("ids", (!ids.is_empty()).then(|| json!(ids))),
            ("filter", filter.clone()),
            ("expect_count", expect_count.map(Into::into)),
            ("reason", reason.clone().map(Into::into)),
            ("dry_run", Some(json!(dry_run))),
        ]);
        api.post(path, &body.into())
    })
}

/// The filters as the body has them.
fn filter(pairs: Vec<(String, String)>) -> Map<String, Value> {
    let mut filter = Map::new();
    for (name, value) in pairs {
        if SINGLE.contains(&name.as_str()) {
            filter.insert(name, value.into());
        } else if let Value::Array(values) = filter.entry(name).or_insert_with(|| json!([])) {
            values.push(value.into());
        }
    }
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_repeat_are_lists_and_others_texts() {
        let pairs = [("status", "active"), ("q", "ci"), ("status", "expired"), ("policy", "api")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let expected = json!({ "status": ["active", "expired"], "q": "ci", "policy": ["api"] });
        assert_eq!(Value::Object(filter(pairs)), expected);
    }
}

//! Named SQL: one text for both databases, or one each where speed or locking needs it; and how often each was sent.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    advance, api, audit, audit_query, census, claim, client, client_change, console_form, console_session, cutoff,
    event, expiry_notice, explain, family, figure, follow, grant, grant_change, grant_query, idempotency, identity,
    inspect, issue, key_session, key_version, legacy_claim, legacy_grants, legacy_import, legacy_lookup, legacy_owner,
    legacy_purge, legacy_report, legacy_upgrade, log_purge, log_read, lookup, maintenance, migrate, naming, node,
    password, plan, policy_apply, policy_snapshot, raise, reach, refusal, restore, revision, revoke_grants, rotate,
    token, usage, user, user_change, webhook, webhook_delivery, workspace, workspace_change,
};

/// One statement. A `static`, so that its address tells it from the others.
#[derive(Debug)]
pub struct Statement {
    pub name: &'static str,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

impl Statement {
    /// The same text for both databases.
    pub(crate) const fn both(name: &'static str, sql: &'static str) -> Self {
        Self { name, sqlite: sql, postgres: sql }
    }

    /// A text each. An empty one is not used on that database.
    pub(crate) const fn each(name: &'static str, sqlite: &'static str, postgres: &'static str) -> Self {
        Self { name, sqlite, postgres }
    }
}

/// Every statement there is. A test prepares all of them on both databases.
pub static REGISTRY: &[&[&Statement]] = &[
    advance::STATEMENTS,
    api::STATEMENTS,
    audit::STATEMENTS,
    audit_query::STATEMENTS,
    census::STATEMENTS,
    claim::STATEMENTS,
    client::STATEMENTS,
    client_change::STATEMENTS,
    console_form::STATEMENTS,
    console_session::STATEMENTS,
    cutoff::STATEMENTS,
    event::STATEMENTS,
    expiry_notice::STATEMENTS,
    explain::STATEMENTS,
    figure::STATEMENTS,
    family::STATEMENTS,
    follow::STATEMENTS,
    grant::STATEMENTS,
    grant_change::STATEMENTS,
    grant_query::STATEMENTS,
    idempotency::STATEMENTS,
    identity::STATEMENTS,
    inspect::STATEMENTS,
    issue::STATEMENTS,
    key_session::STATEMENTS,
    key_version::STATEMENTS,
    legacy_claim::STATEMENTS,
    legacy_grants::STATEMENTS,
    legacy_import::STATEMENTS,
    legacy_lookup::STATEMENTS,
    legacy_owner::STATEMENTS,
    legacy_purge::STATEMENTS,
    legacy_report::STATEMENTS,
    legacy_upgrade::STATEMENTS,
    log_purge::STATEMENTS,
    log_read::STATEMENTS,
    lookup::STATEMENTS,
    maintenance::STATEMENTS,
    migrate::STATEMENTS,
    naming::STATEMENTS,
    password::STATEMENTS,
    plan::STATEMENTS,
    policy_apply::STATEMENTS,
    node::STATEMENTS,
    policy_snapshot::STATEMENTS,
    raise::STATEMENTS,
    reach::STATEMENTS,
    refusal::STATEMENTS,
    restore::STATEMENTS,
    revision::STATEMENTS,
    revoke_grants::STATEMENTS,
    rotate::STATEMENTS,
    token::STATEMENTS,
    usage::STATEMENTS,
    user::STATEMENTS,
    user_change::STATEMENTS,
    webhook::STATEMENTS,
    webhook_delivery::STATEMENTS,
    workspace::STATEMENTS,
    workspace_change::STATEMENTS,
];

/// How often each statement was sent by one store.
#[derive(Debug)]
pub struct StatementCounters(Vec<(&'static Statement, AtomicU64)>);

impl Default for StatementCounters {
    fn default() -> Self {
        let statements = REGISTRY.iter().flat_map(|table| table.iter());
        Self(statements.map(|statement| (*statement, AtomicU64::new(0))).collect())
    }
}

impl StatementCounters {
    pub(super) fn count(&self, statement: &'static Statement) {
        if let Some((_, count)) = self.0.iter().find(|(own, _)| std::ptr::eq(*own, statement)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All statements together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// How often the statement of this name was sent.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.iter().filter(|(own, _)| *own == name).map(|(_, count)| count).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(statement, count)| (statement.name, count.load(Ordering::Relaxed)))
    }
}

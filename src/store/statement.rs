//! Named SQL: one text for both databases, or one each where speed or locking needs it; and how often each was sent.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{
    audit, client, cutoff, family, grant, key_session, lookup, maintenance, revision, token, usage, user, workspace,
};

/// One statement. Compared by name.
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
    audit::STATEMENTS,
    client::STATEMENTS,
    cutoff::STATEMENTS,
    family::STATEMENTS,
    grant::STATEMENTS,
    key_session::STATEMENTS,
    lookup::STATEMENTS,
    maintenance::STATEMENTS,
    revision::STATEMENTS,
    token::STATEMENTS,
    usage::STATEMENTS,
    user::STATEMENTS,
    workspace::STATEMENTS,
];

/// How often each statement was sent by one store.
#[derive(Debug)]
pub struct StatementCounters(Vec<(&'static str, AtomicU64)>);

impl Default for StatementCounters {
    fn default() -> Self {
        let names = REGISTRY.iter().flat_map(|table| table.iter()).map(|statement| statement.name);
        Self(names.map(|name| (name, AtomicU64::new(0))).collect())
    }
}

impl StatementCounters {
    pub(super) fn count(&self, statement: &Statement) {
        let own = self.0.iter().find(|(name, _)| std::ptr::eq(*name, statement.name));
        own.map(|(_, count)| count.fetch_add(1, Ordering::Relaxed));
    }

    /// All statements together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(name, count)| (*name, count.load(Ordering::Relaxed)))
    }
}

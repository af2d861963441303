//! Floor 2: the database. sqlx is named nowhere else.
//!
//! Owns the connections, the transactions, every statement, and the group commit. Knows nothing of HTTP or of
//! cryptography: secrets arrive here as digests.

#[macro_use]
mod database;
mod advance;
pub(crate) mod api;
pub(crate) mod audit;
pub(crate) mod audit_query;
pub(crate) mod catalog;
pub(crate) mod census;
pub mod claim;
pub(crate) mod client;
pub(crate) mod client_change;
mod console_form;
pub(crate) mod console_session;
pub(crate) mod cutoff;
mod decode;
mod error;
pub(crate) mod event;
pub(crate) mod expiry_notice;
pub(crate) mod explain;
pub(crate) mod family;
pub(crate) mod figure;
pub mod follow;
pub(crate) mod grant;
pub(crate) mod grant_change;
pub(crate) mod grant_query;
mod group_commit;
mod group_read;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub mod inspect;
pub(crate) mod issue;
#[cfg(jeton_mutants)]
mod joining;
pub(crate) mod key_session;
pub(crate) mod key_version;
mod legacy_claim;
mod legacy_grants;
pub(crate) mod legacy_import;
pub(crate) mod legacy_lookup;
pub(crate) mod legacy_owner;
mod legacy_purge;
pub(crate) mod legacy_report;
pub(crate) mod legacy_rows;
pub(crate) mod legacy_upgrade;
mod log_purge;
pub mod log_read;
pub(crate) mod lookup;
mod maintenance;
mod migrate;
pub(crate) mod naming;
pub mod node;
mod open;
pub(crate) mod password;
pub(crate) mod plan;
pub(crate) mod policy_apply;
mod policy_snapshot;
pub(crate) mod raise;
pub(crate) mod reach;
pub(crate) mod refusal;
pub(crate) mod restore;
pub(crate) mod revision;
pub(crate) mod revoke;
mod revoke_grants;
pub(crate) mod rotate;
mod statement;
pub(crate) mod token;
mod tx;
pub(crate) mod usage;
pub(crate) mod user;
pub(crate) mod user_change;
mod warnings;
pub(crate) mod webhook;
pub(crate) mod webhook_delivery;
pub(crate) mod workspace;
pub(crate) mod workspace_change;

use std::fmt;
use std::sync::Arc;

use advance::Advance;
use catalog::{CatalogEdit, CatalogLookup};
use claim::Claimed;
use client::ClientLookup;
use database::Database;
pub use error::StoreError;
use group_commit::Lane;
use group_read::ReadLane;
use issue::Issue;
use legacy_lookup::{LegacyLookup, RecipeLookup};
use lookup::TokenLookup;
pub(crate) use maintenance::REPEATS_KEPT;
pub use maintenance::Retention;
use node::NodeLookup;
pub use open::{DatabaseOptions, back_up};
use revision::HeadLookup;
use revoke::Revoke;
use rotate::Rotate;
pub use statement::{REGISTRY, Statement, StatementCounters};
use tokio::sync::Mutex;

/// Told of every revocation between its commit and the answer to whoever asked for it.
pub trait RevocationSink: Send + Sync + 'static {
    /// These are committed: no answer that begins from now on may rest on what was read before.
    fn committed(&self, revocations: &[revoke::Applied]);

    /// Some revocation may or may not have been committed: nothing that was read before can be trusted.
    fn outcome_unknown(&self);
}

/// The database, opened, and its writers. Cloning is cheap.
#[derive(Clone)]
pub struct Store {
    database: Database,
    issue: Lane<Issue>,
    advance: Lane<Advance>,
    rotate: Lane<Rotate>,
    revoke: Lane<Revoke>,
    tokens: ReadLane<TokenLookup>,
    clients: ReadLane<ClientLookup>,
    catalogs: ReadLane<CatalogLookup>,
    catalog_edits: Lane<CatalogEdit>,
    recipes: ReadLane<RecipeLookup>,
    legacy: ReadLane<LegacyLookup>,
    nodes: ReadLane<NodeLookup>,
    heads: ReadLane<HeadLookup>,
    claimed: Arc<Mutex<Option<Claimed>>>,
}

impl Store {
    fn new(database: Database) -> Self {
        Self {
            issue: Lane::start(database.clone()),
            advance: Lane::start(database.clone()),
            rotate: Lane::start(database.clone()),
            revoke: Lane::start(database.clone()),
            tokens: ReadLane::start(database.clone()),
            clients: ReadLane::start(database.clone()),
            catalogs: ReadLane::start(database.clone()),
            catalog_edits: Lane::start(database.clone()),
            recipes: ReadLane::start(database.clone()),
            legacy: ReadLane::start(database.clone()),
            nodes: ReadLane::start(database.clone()),
            heads: ReadLane::start(database.clone()),
            claimed: Arc::default(),
            database,
        }
    }

    /// The text of a statement for PostgreSQL, counted.
    fn count(&self, statement: &'static Statement) -> &'static str {
        self.counters().count(statement);
        statement.postgres
    }

    /// How many statements were sent, by name.
    #[must_use]
    pub fn counters(&self) -> &Arc<StatementCounters> {
        self.database.counters()
    }

    /// Which database this is: `sqlite` or `postgres`.
    #[must_use]
    pub fn backend_name(&self) -> &'static str {
        self.database.name()
    }

    /// Closes all connections after the work that is under way.
    pub async fn close(&self) {
        self.release_claim().await;
        self.database.close().await;
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("backend", &self.backend_name()).finish_non_exhaustive()
    }
}

//! Upgrades imported rows after their first good use: gathered in memory, written in batches, never on the way of an
//! answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, ImportId, TokenId, WorkspaceId};
use crate::domain::keys::KeyVersion;
use crate::domain::legacy::ForeignToken;
use crate::domain::secret::Digest;
use crate::service::{RequestContext, Service};
use crate::store::StoreError;
use crate::store::legacy_lookup::StoredLegacy;
use crate::store::legacy_upgrade::Upgrade;

/// Rows that wait for their upgrade.
#[derive(Debug, Default)]
pub(super) struct Upgrades(Mutex<HashMap<TokenId, PendingUpgrade>>);

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct PendingUpgrade {
    token: TokenId,
    import: ImportId,
    workspace: WorkspaceId,
    grant: GrantId,
    lookup: Digest,
    key_version: KeyVersion,
    at: Timestamp,
}

/// More are upgraded at a later use.
const MAX_PENDING: usize = 10_000;
/// Rows that are upgraded in one transaction.
const BATCH: usize = 500;

impl PendingUpgrade {
    /// `None` for a row that is found by the digest of the string already.
    pub(super) fn of(row: &StoredLegacy, foreign: &ForeignToken, at: Timestamp) -> Option<Self> {
        let lookup = foreign.digest();
        (row.hash.is_some() || !row.lookup.matches(&lookup)).then_some(Self {
            token: row.id,
            import: row.grant.import?,
            workspace: row.grant.workspace.id,
            grant: row.grant.id,
            lookup,
            key_version: foreign.key_version(),
            at,
        })
    }
}

impl Upgrades {
    pub(super) fn add(&self, upgrade: PendingUpgrade) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() < MAX_PENDING {
            pending.insert(upgrade.token, upgrade);
        }
    }

    fn some(&self) -> Vec<PendingUpgrade> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().take(BATCH).cloned().collect()
    }

    fn done(&self, upgrades: &[PendingUpgrade]) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for upgrade in upgrades {
            pending.remove(&upgrade.token);
        }
    }
}

impl Service {
    /// Writes the upgrades that were gathered since the last call.
    ///
    /// # Errors
    /// The store's; what could not be written is kept for the next call.
    pub async fn flush_upgrades(&self) -> Result<(), StoreError> {
        loop {
            let pending = self.legacy.upgrades.some();
            if pending.is_empty() {
                return Ok(());
            }
            let upgrades = pending.iter().map(|pending| self.upgrade(pending)).collect();
            self.store.upgrade_legacy(upgrades).await?;
            self.legacy.upgrades.done(&pending);
        }
    }

    fn upgrade(&self, pending: &PendingUpgrade) -> Upgrade {
        let target = pending.grant.to_string();
        let context = RequestContext::default();
        Upgrade {
            token: pending.token,
            import: pending.import,
            lookup: pending.lookup,
            key_version: pending.key_version,
            at: pending.at,
            audit: self.audit_event(&context, pending.workspace, "system".to_owned(), "legacy.upgrade", target),
        }
    }
}

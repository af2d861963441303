//! What runs beside the requests: writing uses, making partitions, purging what has ended.

use std::time::Duration;

use super::Service;
use crate::domain::grant::Revision;
use crate::store::StoreError;

/// Uses that are written in one transaction.
const MAX_USES: usize = 500;

/// No dry run takes longer.
const DRY_RUN: Duration = Duration::from_secs(24 * 3600);

impl Service {
    /// The newest revision that this process knows to be committed.
    #[must_use]
    pub fn newest_revision(&self) -> Revision {
        self.history.newest().max(self.cache.applied())
    }

    /// Writes the uses that were gathered since the last call.
    ///
    /// # Errors
    /// The store's; the uses are kept for the next call.
    pub async fn flush_uses(&self) -> Result<(), StoreError> {
        let uses = self.usage.peek();
        if !uses.is_empty() {
            // Small transactions: none of them may keep a refresh of the same grants waiting.
            for chunk in uses.chunks(MAX_USES) {
                self.store.record_uses(chunk.to_vec()).await?;
                self.usage.written(chunk);
            }
        }
        Ok(())
    }

    /// After a commit whose outcome is unknown: waits until it is settled, then lets the cache serve again. Not before this
    /// process has its claim on the database: while that was lost, another may have revoked.
    ///
    /// # Errors
    /// The store's; the cache stays suspended.
    pub async fn settle_unknown_outcomes(&self) -> Result<(), StoreError> {
        self.store.keep_claim().await?;
        if let Some(unknown) = self.cache.unsettled() {
            let seen = self.cache.applied();
            let head = self.store.barrier().await?;
            // Where there are other nodes, the follower looks.
            if self.member.is_none() && !(self.history.goes_on(seen) && self.history.goes_on(head)) {
                return Ok(());
            }
            self.cache.settle(unknown, head);
            tracing::warn!(revision = head.value(), "the outcome of every commit is known again");
        }
        Ok(())
    }

    /// Partitions for everything that may be issued until the next call, and out with what has ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn tidy(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        self.store.ensure_partitions(now, self.policies.horizon().as_duration()).await?;
        self.forget_figures(now).await?;
        self.reseal_webhooks().await?;
        let imports = self.store.purge_legacy(now.minus(DRY_RUN), now.minus(self.settings.retention.grants)).await?;
        Ok(imports + self.store.purge(now, self.settings.retention).await?)
    }
}

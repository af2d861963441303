//! What runs beside the requests: writing uses, making partitions, purging what has ended.

use super::Service;
use crate::store::StoreError;

impl Service {
    /// Writes the uses that were gathered since the last call.
    ///
    /// # Errors
    /// The store's; the uses are kept for the next call.
    pub async fn flush_uses(&self) -> Result<(), StoreError> {
        let uses = self.usage.peek();
        if !uses.is_empty() {
            self.store.record_uses(uses.clone()).await?;
            self.usage.written(&uses);
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
        self.store.purge(now, self.settings.retention).await
    }
}

//! Measures how long a revocation takes to be in force here: every so often this node writes one that revokes nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;

use super::cache::{Cacheable, ValidationCache};
use super::membership::{Membership, pause};
use crate::domain::clock::Clock;
use crate::store::{Store, StoreError};

/// The task that measures.
#[derive(Debug)]
pub struct Probe<T> {
    pub member: Arc<Membership>,
    pub cache: Arc<ValidationCache<T>>,
    pub store: Store,
    pub clock: Clock,
}

const EVERY: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(1);

impl<T: Cacheable> Probe<T> {
    /// Measures until `stop`.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = pause(EVERY) => {}
            }
            if let Err(error) = self.measure().await {
                tracing::debug!(error = ?error, "the log could not be probed");
            }
        }
    }

    /// Longer than a lease tells no more than that it was longer.
    async fn measure(&self) -> Result<(), StoreError> {
        let revision = self.store.probe(self.member.id, self.clock.now()).await?;
        let committed = self.clock.boottime();
        loop {
            let took = self.clock.boottime().since(committed);
            if self.cache.applied() >= revision || took > self.member.lease {
                let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                self.member.figures.probe_last_us.store(us, Ordering::Relaxed);
                self.member.figures.probe_most_us.fetch_max(us, Ordering::Relaxed);
                return Ok(());
            }
            pause(LOOK_EVERY).await;
        }
    }
}

//! Of which history this process's revisions are. After a failover the same number may stand for something else; who
//! passes revisions on to others must say of which history they are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Notify;

/// The history that is followed now.
#[derive(Debug, Default)]
pub struct Lineage {
    label: RwLock<Option<Arc<str>>>,
    breaks: AtomicU64,
    moved: Notify,
}

impl Lineage {
    /// Its name: the same on all nodes that follow it, another one after a failover. `None` while that is not known. To
    /// be read before what it shall vouch for: it is taken away before that is dropped, and given after.
    pub fn label(&self) -> Option<Arc<str>> {
        self.label.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts how often revisions have not simply gone on.
    pub fn breaks(&self) -> u64 {
        self.breaks.load(Ordering::SeqCst)
    }

    /// Returns once something was applied since this was last called. For one caller.
    pub async fn when_moved(&self) {
        self.moved.notified().await;
    }

    pub(super) fn moved(&self) {
        self.moved.notify_one();
    }

    /// What was applied so far says nothing about what follows. Counted before and after the position is `reset`: who
    /// finds the same count before and after reading a position has read one of one history.
    pub(super) fn break_off(&self, reset: impl FnOnce()) {
        *self.label.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.breaks.fetch_add(1, Ordering::SeqCst);
        reset();
        self.breaks.fetch_add(1, Ordering::SeqCst);
        self.moved();
    }

    pub(super) fn continue_as(&self, name: &str) {
        let known = self.label();
        if known.as_deref() != Some(name) {
            *self.label.write().unwrap_or_else(PoisonError::into_inner) = Some(name.into());
        }
    }
}

//! From a grant's id to the flag that all cached tokens of the grant share.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::domain::ids::GrantId;

/// Shared by the cached tokens of one grant; once dead it stays dead.
#[derive(Debug, Default)]
pub(super) struct GrantCell(AtomicBool);

impl GrantCell {
    pub(super) fn is_dead(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
pub(super) struct GrantIndex(Vec<Mutex<Shard>>);

#[derive(Debug, Default)]
struct Shard {
    cells: HashMap<GrantId, Weak<GrantCell>>,
    sweep_at: usize,
}

const SHARDS: usize = 64;
const FIRST_SWEEP: usize = 256;

impl Default for GrantIndex {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl GrantIndex {
    /// The cell of `grant`, if `still_fresh` says under the shard's lock that nothing was revoked meanwhile. A
    /// revocation that comes later finds the cell here.
    pub(super) fn cell(&self, grant: GrantId, still_fresh: impl Fn() -> bool) -> Option<Arc<GrantCell>> {
        let mut shard = self.shard(grant);
        if !still_fresh() {
            return None;
        }
        shard.sweep();
        match shard.cells.entry(grant) {
            Entry::Occupied(mut entry) => Some(entry.get().upgrade().unwrap_or_else(|| {
                let cell = Arc::default();
                entry.insert(Arc::downgrade(&cell));
                cell
            })),
            Entry::Vacant(entry) => {
                let cell = Arc::default();
                entry.insert(Arc::downgrade(&cell));
                Some(cell)
            }
        }
    }

    /// Marks the grant's cell as dead and forgets it.
    pub(super) fn kill(&self, grant: GrantId) {
        if let Some(cell) = self.shard(grant).cells.remove(&grant).and_then(|cell| cell.upgrade()) {
            cell.0.store(true, Ordering::Release);
        }
    }

    fn shard(&self, grant: GrantId) -> std::sync::MutexGuard<'_, Shard> {
        // The last byte is random in every id.
        let shard = usize::from(grant.as_bytes()[15]) % SHARDS;
        self.0[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    /// Drops cells that no cached token uses any more, each time the shard has doubled.
    fn sweep(&mut self) {
        if self.cells.len() >= self.sweep_at.max(FIRST_SWEEP) {
            self.cells.retain(|_, cell| cell.strong_count() > 0);
            self.sweep_at = self.cells.len() * 2;
        }
    }
}

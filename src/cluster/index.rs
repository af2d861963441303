//! From a grant's id to the flag that all cached tokens of the grant share.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::sync::{Arc, AtomicU8, Mutex, MutexGuard, Ordering, PoisonError, Weak};
use crate::domain::ids::GrantId;

/// Shared by the cached tokens of one grant. What is dead stays dead; what is outdated is read again.
#[derive(Debug, Default)]
pub(super) struct GrantCell(AtomicU8);

/// What is known of the cached tokens of a grant. Only ever goes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Freshness {
    Current = 0,
    Outdated = 1,
    Dead = 2,
}

impl GrantCell {
    pub(super) fn freshness(&self) -> Freshness {
        match self.0.load(Ordering::Acquire) {
            0 => Freshness::Current,
            1 => Freshness::Outdated,
            _ => Freshness::Dead,
        }
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

    /// Marks the grant's cell as outdated or dead and forgets it.
    pub(super) fn end(&self, grant: GrantId, freshness: Freshness) {
        if let Some(cell) = self.shard(grant).cells.remove(&grant).and_then(|cell| cell.upgrade()) {
            cell.0.fetch_max(freshness as u8, Ordering::AcqRel);
        }
    }

    /// Marks every cell as outdated. Also reaches a fill that has got its cell and has not kept its token yet.
    pub(super) fn outdate_all(&self) {
        for shard in &self.0 {
            let cells = std::mem::take(&mut shard.lock().unwrap_or_else(PoisonError::into_inner).cells);
            for cell in cells.into_values().filter_map(|cell| cell.upgrade()) {
                cell.0.fetch_max(Freshness::Outdated as u8, Ordering::AcqRel);
            }
        }
    }

    fn shard(&self, grant: GrantId) -> MutexGuard<'_, Shard> {
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

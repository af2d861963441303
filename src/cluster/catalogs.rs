//! The APIs and plans of workspaces, as they were read, until one of them changes.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::domain::catalog::Catalog;
use crate::domain::ids::WorkspaceId;

/// Kept by size: most catalogs are small, the largest possible one has some megabytes.
pub(super) struct Catalogs {
    kept: Cache<WorkspaceId, Arc<Catalog>, ByBytes>,
    gate: Mutex<()>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<WorkspaceId, Arc<Catalog>> for ByBytes {
    fn weight(&self, _: &WorkspaceId, catalog: &Arc<Catalog>) -> u64 {
        catalog.bytes() as u64
    }
}

/// Thousands of ordinary catalogs, several of the largest.
const MAX_BYTES: u64 = 32 << 20;
/// Only sizes the first allocation. Few, so that the shards are few too and each takes the largest catalog.
const TYPICAL: usize = 64;

impl Default for Catalogs {
    fn default() -> Self {
        Self { kept: Cache::with_weighter(TYPICAL, MAX_BYTES, ByBytes), gate: Mutex::default() }
    }
}

impl Catalogs {
    pub(super) fn find(&self, id: WorkspaceId) -> Option<Arc<Catalog>> {
        self.kept.get(&id)
    }

    /// Keeps a catalog that was read, if `still_fresh` says that nothing was changed since the read began. Whoever
    /// raises the fence afterwards waits at the gate before it forgets; whoever did so before is seen.
    pub(super) fn fill(&self, id: WorkspaceId, catalog: &Arc<Catalog>, still_fresh: impl Fn() -> bool) {
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if still_fresh() {
            self.kept.insert(id, Arc::clone(catalog));
        }
    }

    pub(super) fn forget(&self, id: WorkspaceId) {
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.kept.remove(&id);
    }

    pub(super) fn forget_all(&self) {
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.kept.clear();
    }
}

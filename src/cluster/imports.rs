//! Which imports of legacy tokens there are, so that a foreign string costs no query where there are none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::legacy::Recipe;

/// The imports as they were read.
#[derive(Debug)]
pub struct Imports {
    /// Another one for each time that they were read after a change: what was validated before is looked up again.
    pub generation: u64,
    pub recipes: Vec<Recipe>,
}

/// What this process remembers of them.
#[derive(Debug, Default)]
pub(super) struct ImportBook {
    known: RwLock<Option<Arc<Imports>>>,
    generation: AtomicU64,
}

impl ImportBook {
    pub(super) fn find(&self) -> Option<Arc<Imports>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what was read if `still_fresh` says so under the lock: a change that comes later waits here before it
    /// forgets.
    pub(super) fn fill(&self, recipes: Vec<Recipe>, still_fresh: impl Fn() -> bool) -> Arc<Imports> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let imports = Arc::new(Imports { generation: self.generation.load(Ordering::Acquire), recipes });
        if still_fresh() {
            *known = Some(Arc::clone(&imports));
        }
        imports
    }

    pub(super) fn forget(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::AcqRel);
        *known = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept_and_the_generation_moves() {
        let book = ImportBook::default();
        let first = book.fill(Vec::new(), || true);
        assert_eq!(book.find().unwrap().generation, first.generation);
        book.forget();
        assert!(book.find().is_none());
        let stale = book.fill(Vec::new(), || false);
        assert!(book.find().is_none());
        assert_ne!(stale.generation, first.generation);
    }
}

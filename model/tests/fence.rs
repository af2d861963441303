//! The cache's fence and index, in their own code, under every order of their atomic steps.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod sync {
    pub(super) use loom::sync::atomic::{AtomicU8, AtomicU64, Ordering};
    pub(super) use loom::sync::{Mutex, MutexGuard};
    pub(super) use std::sync::{Arc, PoisonError, Weak};
}

mod domain {
    pub mod ids {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct GrantId(pub [u8; 16]);

        impl GrantId {
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }
    }
}

#[path = "../../src/cluster/fence.rs"]
mod fence;
#[path = "../../src/cluster/index.rs"]
mod index;

use std::sync::Arc;

use domain::ids::GrantId;
use fence::Fence;
use index::{Freshness, GrantCell, GrantIndex};
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering};

const GRANT: GrantId = GrantId([0; 16]);

/// A cache of one token.
#[derive(Default)]
struct OneToken {
    /// The database: whether the grant is revoked there.
    revoked: AtomicBool,
    fence: Fence,
    index: GrantIndex,
    kept: Mutex<Option<Arc<GrantCell>>>,
}

impl OneToken {
    /// As `ValidationCache::begin_fill`, the read, and `ValidationCache::fill`.
    fn fill(&self, fenced: bool) {
        let mark = self.fence.mark();
        if self.revoked.load(Ordering::SeqCst) {
            return;
        }
        if let Some(cell) = self.index.cell(GRANT, || !fenced || self.fence.stands_at(mark)) {
            *self.kept.lock().unwrap() = Some(cell);
        }
    }

    fn serves(&self) -> bool {
        self.kept.lock().unwrap().as_ref().is_some_and(|cell| cell.freshness() == Freshness::Current)
    }

    fn revoke(&self) {
        self.revoked.store(true, Ordering::SeqCst);
        self.fence.raise();
        self.index.end(GRANT, Freshness::Dead);
    }

    fn revoke_and_kill_before_the_fence(&self) {
        self.revoked.store(true, Ordering::SeqCst);
        self.index.end(GRANT, Freshness::Dead);
        self.fence.raise();
    }

    /// As `ValidationCache::restart`, after something that only the database knows of.
    fn restart(&self, outdating: bool) {
        self.revoked.store(true, Ordering::SeqCst);
        self.fence.raise();
        *self.kept.lock().unwrap() = None;
        if outdating {
            self.index.outdate_all();
            *self.kept.lock().unwrap() = None;
        }
    }
}

/// A fill runs beside the revocation; from its return on nothing is served.
fn under_every_order(fill: fn(&OneToken), revoke: fn(&OneToken)) {
    loom::model(move || {
        let cache = Arc::new(OneToken::default());
        let filler = {
            let cache = Arc::clone(&cache);
            loom::thread::spawn(move || fill(&cache))
        };
        revoke(&cache);
        assert!(!cache.serves(), "served after the revocation");
        filler.join().unwrap();
        assert!(!cache.serves(), "kept after the revocation");
    });
}

#[test]
fn nothing_is_served_after_a_revocation_whatever_is_being_filled() {
    under_every_order(|cache| cache.fill(true), OneToken::revoke);
}

#[test]
fn nothing_is_kept_over_a_restart_whatever_is_being_filled() {
    under_every_order(|cache| cache.fill(true), |cache| cache.restart(true));
}

#[test]
#[should_panic(expected = "after the revocation")]
fn a_fill_without_a_fence_is_caught() {
    under_every_order(|cache| cache.fill(false), OneToken::revoke);
}

#[test]
#[should_panic(expected = "after the revocation")]
fn a_kill_before_the_fence_is_caught() {
    under_every_order(|cache| cache.fill(true), OneToken::revoke_and_kill_before_the_fence);
}

#[test]
#[should_panic(expected = "after the revocation")]
fn a_restart_that_only_clears_is_caught() {
    under_every_order(|cache| cache.fill(true), |cache| cache.restart(false));
}

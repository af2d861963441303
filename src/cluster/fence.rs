//! Tells a fill whether something was revoked since its read began.

use super::sync::{AtomicU64, Ordering};

/// Moves with every revocation, before what it kills is looked for.
#[derive(Debug, Default)]
pub(super) struct Fence(AtomicU64);

/// Where the fence stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl Fence {
    /// To be called before the read.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.0.load(Ordering::SeqCst))
    }

    /// To be called before the revocation kills.
    pub(super) fn raise(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether nothing was revoked since.
    pub(super) fn stands_at(&self, mark: Mark) -> bool {
        self.mark() == mark
    }
}

//! Up to which revision everything is applied in this process.
//!
//! Revisions have no gaps, but the batches that made them may report in another order than they committed in. A
//! revision counts only when all before it have been applied: what is read afterwards may be vouched for as of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::domain::grant::Revision;

#[derive(Debug)]
pub(super) struct Applied {
    contiguous: AtomicI64,
    ahead: Mutex<BTreeSet<i64>>,
}

impl Applied {
    pub(super) fn new(head: Revision) -> Self {
        Self { contiguous: AtomicI64::new(head.value()), ahead: Mutex::default() }
    }

    pub(super) fn revision(&self) -> Revision {
        Revision::new(self.contiguous.load(Ordering::Acquire))
    }

    /// `revision` has been applied.
    pub(super) fn add(&self, revision: Revision) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let mut contiguous = self.contiguous.load(Ordering::Acquire);
        if revision.value() > contiguous {
            ahead.insert(revision.value());
        }
        while ahead.remove(&(contiguous + 1)) {
            contiguous += 1;
        }
        self.contiguous.store(contiguous, Ordering::Release);
    }

    /// Everything up to `head` has been applied, or is reflected by what will be read from now on.
    pub(super) fn advance(&self, head: Revision) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.retain(|revision| *revision > head.value());
        let mut contiguous = self.contiguous.load(Ordering::Acquire).max(head.value());
        while ahead.remove(&(contiguous + 1)) {
            contiguous += 1;
        }
        self.contiguous.store(contiguous, Ordering::Release);
    }

    /// Another history: what was applied of the one before says nothing.
    pub(super) fn reset(&self, head: Revision) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.clear();
        self.contiguous.store(head.value(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_counts_only_when_all_before_it_have_been_applied() {
        let applied = Applied::new(Revision::new(5));
        applied.add(Revision::new(7));
        assert_eq!(applied.revision(), Revision::new(5));
        applied.add(Revision::new(6));
        assert_eq!(applied.revision(), Revision::new(7));
        applied.add(Revision::new(3));
        assert_eq!(applied.revision(), Revision::new(7));
        applied.add(Revision::new(10));
        applied.advance(Revision::new(9));
        assert_eq!(applied.revision(), Revision::new(10), "nine was all that was missing");
        applied.advance(Revision::new(8));
        assert_eq!(applied.revision(), Revision::new(10));
        applied.add(Revision::new(12));
        applied.reset(Revision::new(4));
        assert_eq!(applied.revision(), Revision::new(4));
        applied.add(Revision::new(5));
        assert_eq!(applied.revision(), Revision::new(5));
    }
}

//! Uses of grants, gathered in memory until the next batch is written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::clock::Timestamp;
use crate::domain::ids::GrantId;
use crate::store::usage::Use;

/// Gathers uses. Cheap to call, never blocks on I/O.
#[derive(Debug, Default)]
pub struct UsageRecorder {
    pending: Mutex<HashMap<GrantId, Use>>,
    /// The last use of each grant that was written: the next one is worth writing a minute later, or when its
    /// generation is newer.
    written: Mutex<HashMap<GrantId, Use>>,
}

/// Two uses of one generation of a grant are as good as one within this time.
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// Grants that wait for a database that is down; more are dropped: a date is lost, not a decision.
const MAX_PENDING: usize = 100_000;

impl UsageRecorder {
    /// Notes that a token of `grant` was used. `generation` is its refresh generation, 0 without a family.
    pub fn note(&self, grant: GrantId, at: Timestamp, generation: i64) {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner).get(&grant).copied();
        if written.is_some_and(|last| generation <= last.generation && at < last.at.plus(WRITE_EVERY)) {
            return;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() < MAX_PENDING || pending.contains_key(&grant) {
            let used = pending.entry(grant).or_insert(Use { grant, at, generation });
            used.at = used.at.max(at);
            used.generation = used.generation.max(generation);
        }
    }

    /// The newest refresh generation of `grant` that was seen in use and is not written yet.
    pub fn seen_generation(&self, grant: GrantId) -> Option<i64> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.get(&grant).map(|used| used.generation).filter(|generation| *generation > 0)
    }

    /// Everything gathered so far. It stays until [`UsageRecorder::written`].
    pub fn peek(&self) -> Vec<Use> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.values().copied().collect()
    }

    /// Forgets what was written; a use that came meanwhile stays.
    pub fn written(&self, uses: &[Use]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.len() + uses.len() > MAX_PENDING {
            written.clear();
        }
        for used in uses {
            if pending.get(&used.grant) == Some(used) {
                pending.remove(&used.grant);
            }
            written.insert(used.grant, *used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_one_grant_are_one_entry_and_stay_until_written() {
        let (recorder, grant) = (UsageRecorder::default(), GrantId::from_bytes([1; 16]));
        recorder.note(grant, Timestamp::from_ms(2), 3);
        recorder.note(grant, Timestamp::from_ms(1), 1);
        let batch = recorder.peek();
        assert_eq!(batch, [Use { grant, at: Timestamp::from_ms(2), generation: 3 }]);
        assert_eq!(recorder.seen_generation(grant), Some(3));
        recorder.note(grant, Timestamp::from_ms(5), 4);
        recorder.written(&batch);
        assert_eq!(recorder.peek().len(), 1);
        recorder.written(&recorder.peek());
        assert_eq!(recorder.seen_generation(grant), None);
        recorder.note(grant, Timestamp::from_ms(6), 4);
        assert!(recorder.peek().is_empty(), "written a moment ago");
        recorder.note(grant, Timestamp::from_ms(7), 5);
        recorder.note(GrantId::from_bytes([2; 16]), Timestamp::from_ms(7), 0);
        assert_eq!(recorder.peek().len(), 2);
    }
}

//! What this process has issued, validated and refused, counted in memory until the next batch is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::tally::Tally;
use crate::domain::clock::Timestamp;
use crate::domain::ids::WorkspaceId;
use crate::store::figure::{Figure, What, hour_of};

/// Counts. Cheap to call, never blocks on I/O.
#[derive(Debug, Default)]
pub struct FigureRecorder {
    pending: Mutex<HashMap<(WorkspaceId, i64, What), u64>>,
    /// What was validated of each workspace. The live tokens in memory hold its counter, so that the hot path adds one to
    /// a number and does nothing else.
    validated: Mutex<HashMap<WorkspaceId, Arc<Tally>>>,
}

impl FigureRecorder {
    /// Where the validations of a workspace are counted.
    pub fn validations(&self, workspace: WorkspaceId) -> Arc<Tally> {
        let mut validated = self.validated.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(validated.entry(workspace).or_default())
    }

    pub fn note(&self, workspace: WorkspaceId, at: Timestamp, what: What, count: u64) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        *pending.entry((workspace, hour_of(at), what)).or_default() += count;
    }

    /// Everything counted since the last call; validations count for the hour of `now`.
    pub fn take(&self, now: Timestamp) -> Vec<Figure> {
        let validated = self.validated.lock().unwrap_or_else(PoisonError::into_inner);
        let counts: Vec<_> = validated.iter().map(|(workspace, count)| (*workspace, count.take())).collect();
        drop(validated);
        for (workspace, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            self.note(workspace, now, What::Validated, count);
        }
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        let figure = |((workspace, hour, what), count)| Figure { workspace, hour, what, count };
        pending.into_iter().map(figure).collect()
    }

    /// What could not be written, for the next time.
    pub fn give_back(&self, figures: &[Figure]) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        for figure in figures {
            *pending.entry((figure.workspace, figure.hour, figure.what)).or_default() += figure.count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_taken_once_and_given_back_whole() {
        let (recorder, workspace, now) =
            (FigureRecorder::default(), WorkspaceId::from_bytes([1; 16]), Timestamp::from_ms(7_200_000));
        recorder.note(workspace, now, What::Issued, 2);
        recorder.note(workspace, now, What::Issued, 1);
        (0..5).for_each(|_| recorder.validations(workspace).add());
        let mut taken = recorder.take(now);
        taken.sort_by_key(|figure| figure.count);
        let figure = |what, count| Figure { workspace, hour: 2, what, count };
        assert_eq!(taken, [figure(What::Issued, 3), figure(What::Validated, 5)]);
        assert_eq!(recorder.take(now), []);
        recorder.give_back(&taken);
        assert_eq!(recorder.take(now).len(), 2);
    }
}

//! The cut-offs that were committed since this process started, and the check of an entry against them.
//!
//! An entry read from the store already reflects every cut-off up to its read. Later ones are compared lazily: one
//! atomic load tells that there is nothing new, and only when there is are the entry's subjects looked up. What is new
//! is told by an epoch of this process, not by the revision: several cut-offs of one batch share a revision.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::domain::grant::{Grant, Owner, Revision};
use crate::store::cutoff::Subject;

/// Whose cut-offs reach a grant: its own, and those of the key that opened it, whose subjects are the same.
#[derive(Debug)]
pub(super) struct Reach {
    subjects: [Option<Subject>; 4],
    own: PolicyRevision,
    parent: Option<PolicyRevision>,
}

/// A policy, and the revision of a grant under it.
type PolicyRevision = (Box<str>, Revision);

impl Reach {
    pub(super) fn of(grant: &Grant) -> Self {
        let user = match &grant.owner {
            Owner::User { id, .. } => Some(Subject::from(*id)),
            Owner::Client(_) => None,
        };
        Self {
            subjects: [
                Some(Subject::from(grant.workspace.id)),
                user,
                grant.client.as_ref().map(|client| Subject::from(client.key)),
                grant.import.map(Subject::from),
            ],
            own: (grant.policy.as_str().into(), grant.revision),
            parent: grant.parent.as_ref().map(|parent| (parent.policy.as_str().into(), parent.revision)),
        }
    }

    fn is_cut_by(&self, policy: &str, cut: Revision) -> bool {
        let reached = std::iter::once(&self.own).chain(&self.parent);
        let mut applying = reached.filter(|(own, _)| policy.is_empty() || **own == *policy);
        applying.any(|(_, revision)| *revision < cut)
    }
}

/// The newest cut-off of each subject and policy.
#[derive(Debug, Default)]
pub(super) struct CutOffs {
    /// Moves after each batch of cut-offs is in the table.
    epoch: AtomicU64,
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    cuts: HashMap<Subject, Vec<PolicyRevision>>,
    /// Cut-offs up to this epoch may have been forgotten.
    floor: u64,
}

/// What the known cut-offs say of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Survives,
    Killed,
    /// It was checked before cut-offs that are forgotten here: the store must be asked.
    Unknown,
}

/// One cut-off: whose, under which policy (all where empty), and the revision below which grants are dead.
pub(super) type Cut<'a> = (Subject, &'a str, Revision);

/// Beyond this many subjects the table starts afresh; entries that were checked before are read again.
const MAX_SUBJECTS: usize = 100_000;

impl CutOffs {
    /// An entry that was checked at this epoch needs no look-up.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Takes in all cut-offs of a batch; only then does the epoch move.
    pub(super) fn raise(&self, cuts: &[Cut<'_>]) {
        if cuts.is_empty() {
            return;
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.cuts.len() >= MAX_SUBJECTS {
            table.cuts.clear();
            table.floor = self.epoch() + 1;
        }
        for (subject, policy, revision) in cuts {
            let own = table.cuts.entry(*subject).or_default();
            match own.iter_mut().find(|(name, _)| **name == **policy) {
                Some((_, known)) => *known = (*known).max(*revision),
                None => own.push(((*policy).into(), *revision)),
            }
        }
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets all of them: whatever was checked before is unknown.
    pub(super) fn forget(&self) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.cuts.clear();
        table.floor = self.epoch() + 1;
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether a grant of this reach, known to be alive at epoch `survived`, outlives what came after; and the epoch
    /// as of which that holds.
    pub(super) fn judge(&self, reach: &Reach, survived: u64) -> (Verdict, u64) {
        // The epoch under the lock: what it counts is in the table.
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let epoch = self.epoch();
        if survived < table.floor {
            return (Verdict::Unknown, epoch);
        }
        let mut cuts = reach.subjects.iter().flatten().filter_map(|subject| table.cuts.get(subject)).flatten();
        let killed = cuts.any(|(policy, cut)| reach.is_cut_by(policy, *cut));
        (if killed { Verdict::Killed } else { Verdict::Survives }, epoch)
    }
}

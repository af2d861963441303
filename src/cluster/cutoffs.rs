//! The cut-offs that were committed since this process started, and the check of an entry against them.
//!
//! An entry read from the store already reflects every cut-off up to its read. Later ones are compared lazily: one
//! atomic load tells that there is nothing new, and only when there is are the entry's subjects looked up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::domain::grant::{Grant, Owner, Revision};
use crate::store::cutoff::Subject;

/// Whose cut-offs reach a grant.
#[derive(Debug)]
pub(super) struct Reach {
    subjects: [Option<Subject>; 3],
    policy: Box<str>,
    revision: Revision,
}

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
            ],
            policy: grant.policy.as_str().into(),
            revision: grant.revision,
        }
    }
}

/// The newest cut-off of each subject and policy.
#[derive(Debug, Default)]
pub(super) struct CutOffs {
    latest: AtomicI64,
    /// Cut-offs up to this revision may have been forgotten.
    floor: AtomicI64,
    by_subject: RwLock<HashMap<Subject, Vec<PolicyCut>>>,
}

/// The newest cut-off of one policy; of all policies where its name is empty.
type PolicyCut = (Box<str>, Revision);

/// What the known cut-offs say of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Survives,
    Killed,
    /// It was checked before cut-offs that are forgotten here: the store must be asked.
    Unknown,
}

/// Beyond this many subjects the table starts afresh; entries that were checked before are read again.
const MAX_SUBJECTS: usize = 100_000;

impl CutOffs {
    /// The revision of the newest cut-off: an entry checked at this one needs no look-up.
    pub(super) fn latest(&self) -> i64 {
        self.latest.load(Ordering::Acquire)
    }

    pub(super) fn raise(&self, subject: Subject, policy: &str, revision: Revision) {
        let mut table = self.by_subject.write().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= MAX_SUBJECTS {
            table.clear();
            self.floor.store(self.latest(), Ordering::Release);
        }
        let own = table.entry(subject).or_default();
        match own.iter_mut().find(|(name, _)| **name == *policy) {
            Some((_, known)) => *known = (*known).max(revision),
            None => own.push((policy.into(), revision)),
        }
        self.latest.fetch_max(revision.value(), Ordering::AcqRel);
    }

    /// Whether a grant of this reach, known to be alive at revision `survived`, outlives what came after.
    pub(super) fn judge(&self, reach: &Reach, survived: i64) -> Verdict {
        let table = self.by_subject.read().unwrap_or_else(PoisonError::into_inner);
        if survived < self.floor.load(Ordering::Acquire) {
            return Verdict::Unknown;
        }
        let cuts = reach.subjects.iter().flatten().filter_map(|subject| table.get(subject)).flatten();
        let applying = cuts.filter(|(policy, _)| policy.is_empty() || *policy == reach.policy);
        if applying.map(|(_, revision)| *revision).max().is_some_and(|cut| reach.revision < cut) {
            Verdict::Killed
        } else {
            Verdict::Survives
        }
    }
}

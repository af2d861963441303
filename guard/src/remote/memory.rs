//! Owns what is remembered of tokens, and the rules by which it may be used.
//!
//! The order is what makes it safe. A reader looks at the clock, then at `trusted_until`, then at a token. Whoever moves
//! `trusted_until` has before forgotten all that the stream has told. An answer is remembered only if it reflects all that
//! the stream has told by then, which is compared and written under one lock with what the stream tells.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use super::clock::Moment;
use crate::introspection::Introspection;

/// A token is remembered by its SHA-256.
pub(super) type Digest = [u8; 32];

/// All that is remembered. All methods may be called from any thread; none blocks on I/O.
#[derive(Debug)]
pub(super) struct Memory {
    /// For how long after a heartbeat was true it is relied upon.
    bound: Duration,
    /// A token is asked about again after this.
    max_age: Duration,
    most: usize,
    trusted_until: AtomicU64,
    shards: Vec<RwLock<HashMap<Digest, Remembered>>>,
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Remembered {
    token: Arc<Introspection>,
    until: Moment,
    /// Tells it from what was remembered of the same token before.
    number: u64,
}

/// What the stream has told, and what it may still tell of what is remembered.
#[derive(Debug, Default)]
struct Log {
    /// Of the last heartbeat. `None` before the first, and after a reset.
    history: Option<String>,
    /// The newest revision that anything was told of.
    told: u64,
    resets: u64,
    by_key: HashMap<String, HashSet<Digest>>,
    /// The oldest first.
    order: VecDeque<(u64, Digest)>,
    next: u64,
}

/// Where things stood before a question was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    resets: u64,
    /// What is asked for is to be no older than this.
    pub told: Option<u64>,
    pub asked: Moment,
}

const SHARDS: usize = 16;
/// Two clocks may differ in their rate by one in a hundred.
const RATE: u64 = 100;

impl Memory {
    pub(super) fn new(bound: Duration, max_age: Duration, most: usize) -> Self {
        Self {
            bound,
            max_age,
            most,
            trusted_until: AtomicU64::new(0),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            log: Mutex::default(),
        }
    }

    /// Whether what is remembered may be used now.
    pub(super) fn is_trusted(&self, now: Moment) -> bool {
        now.ns() < self.trusted_until.load(Ordering::Acquire)
    }

    /// What is remembered of a token, if that may be used at `now`, which was read before this is called.
    pub(super) fn find(&self, now: Moment, digest: &Digest) -> Option<Arc<Introspection>> {
        if !self.is_trusted(now) {
            return None;
        }
        let shard = self.shards[shard_of(digest)].read().unwrap_or_else(PoisonError::into_inner);
        shard.get(digest).filter(|remembered| now < remembered.until).map(|remembered| Arc::clone(&remembered.token))
    }

    /// To be called before a question is sent; `now` was read before that too.
    pub(super) fn ticket(&self, now: Moment) -> Ticket {
        let log = self.log();
        // Without a stream, what was told may be of a history that is over.
        let told = log.history.as_ref().filter(|_| self.is_trusted(now)).map(|_| log.told);
        Ticket { resets: log.resets, told, asked: now }
    }

    /// Remembers an answer, if it is one that may be, and reflects everything that was told by now.
    pub(super) fn remember(&self, ticket: &Ticket, digest: Digest, token: &Arc<Introspection>) -> bool {
        let mut log = self.log();
        let reflects = token.revision.is_some_and(|revision| revision >= log.told)
            && token.history.is_some()
            && token.history == log.history
            && ticket.resets == log.resets;
        // The uses of a plan are counted by the server, which must see them.
        let may_be_kept = !token.revocation_keys.is_empty() && token.plans.is_empty() && token.retry_after.is_none();
        if !reflects || !may_be_kept || self.most == 0 {
            return false;
        }
        let own_end = token.expires_in.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        let until = ticket.asked.plus(own_end.map_or(self.max_age, |end| end.min(self.max_age)));
        self.make_room(&mut log, ticket.asked);
        log.next += 1;
        let number = log.next;
        for key in &token.revocation_keys {
            log.by_key.entry(key.clone()).or_default().insert(digest);
        }
        log.order.push_back((number, digest));
        let before = self.shard(&digest).insert(digest, Remembered { token: Arc::clone(token), until, number });
        if let Some(before) = before {
            // Keys that the token no longer has.
            let gone = before.token.revocation_keys.iter().filter(|key| !token.revocation_keys.contains(key));
            gone.for_each(|key| log.unlist(key, &digest));
        }
        true
    }

    /// A revocation: everything with this key is forgotten.
    pub(super) fn revoke(&self, revision: u64, key: &str) {
        let mut log = self.log();
        // From the first event of a revision on: an answer of the one before may have been given before any of them.
        log.told = log.told.max(revision);
        let Some(digests) = log.by_key.remove(key) else { return };
        for digest in digests {
            let gone = self.shard(&digest).remove(&digest);
            gone.iter().flat_map(|gone| &gone.token.revocation_keys).for_each(|key| log.unlist(key, &digest));
        }
    }

    /// A heartbeat: everything that had returned `after` the request, which was not sent before `sent`, was told. Known
    /// at `now`.
    pub(super) fn beat(&self, history: &str, revision: u64, sent: Moment, after: Duration, now: Moment) {
        let mut log = self.log();
        if log.history.as_deref() != Some(history) {
            self.forget_all(&mut log);
            log.history = Some(history.to_owned());
            log.told = revision;
        }
        let true_at = sent.plus(after - after / u32::try_from(RATE).unwrap_or(u32::MAX)).min(now);
        // Under the lock: nothing that was forgotten comes back in between.
        self.trusted_until.fetch_max(true_at.plus(self.bound).ns(), Ordering::AcqRel);
    }

    /// Everything is forgotten, and nothing remembered until the next heartbeat.
    pub(super) fn reset(&self, revision: u64) {
        let mut log = self.log();
        self.forget_all(&mut log);
        log.history = None;
        log.told = revision;
    }

    /// How many tokens are remembered.
    pub(super) fn len(&self) -> usize {
        let lens = self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len());
        lens.sum()
    }

    fn forget_all(&self, log: &mut Log) {
        log.resets += 1;
        log.by_key.clear();
        log.order.clear();
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Drops what is too old, and the oldest where there is no room.
    fn make_room(&self, log: &mut Log, now: Moment) {
        while let Some((number, digest)) = log.order.front().copied() {
            let mut shard = self.shard(&digest);
            let until = shard.get(&digest).filter(|own| own.number == number).map(|own| own.until);
            if until.is_some_and(|until| now < until) && log.order.len() < self.most {
                return;
            }
            let gone = if until.is_some() { shard.remove(&digest) } else { None };
            drop(shard);
            log.order.pop_front();
            gone.iter().flat_map(|gone| &gone.token.revocation_keys).for_each(|key| log.unlist(key, &digest));
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard(&self, digest: &Digest) -> RwLockWriteGuard<'_, HashMap<Digest, Remembered>> {
        self.shards[shard_of(digest)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn unlist(&mut self, key: &str, digest: &Digest) {
        if let Some(digests) = self.by_key.get_mut(key) {
            digests.remove(digest);
            if digests.is_empty() {
                self.by_key.remove(key);
            }
        }
    }
}

fn shard_of(digest: &Digest) -> usize {
    usize::from(digest[0]) % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const BOUND: Duration = Duration::from_secs(3);
    const START: Moment = Moment::from_ns(1_000_000_000_000);

    fn digest(number: u8) -> Digest {
        [number; 32]
    }

    fn answer(revision: u64, keys: &[&str]) -> Arc<Introspection> {
        Arc::new(Introspection {
            active: true,
            revision: Some(revision),
            history: Some("h".to_owned()),
            revocation_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            ..Introspection::default()
        })
    }

    /// With a heartbeat of `START` at revision 5.
    fn memory(most: usize) -> Memory {
        let memory = Memory::new(BOUND, 60 * SECOND, most);
        memory.beat("h", 5, START, Duration::ZERO, START);
        memory
    }

    fn keep(memory: &Memory, number: u8, token: &Arc<Introspection>) -> bool {
        memory.remember(&memory.ticket(START), digest(number), token)
    }

    fn knows(memory: &Memory, number: u8) -> bool {
        memory.find(START, &digest(number)).is_some()
    }

    #[test]
    fn nothing_is_used_later_than_the_bound_after_a_heartbeat_was_true() {
        let memory = memory(10);
        assert!(keep(&memory, 1, &answer(5, &["a"])));
        assert!(memory.find(START.plus(BOUND - Duration::from_nanos(1)), &digest(1)).is_some());
        assert!(memory.find(START.plus(BOUND), &digest(1)).is_none());
        // One that was ten seconds on its way was true ten seconds ago.
        let late = START.plus(20 * SECOND);
        memory.beat("h", 5, START, 10 * SECOND, late);
        assert!(!memory.is_trusted(late));
        assert!(memory.is_trusted(START.plus(12 * SECOND)));
        assert!(!memory.is_trusted(START.plus(13 * SECOND)), "clocks may differ by one in a hundred");
    }

    #[test]
    fn a_server_that_says_more_than_can_be_is_believed_no_further_than_now() {
        let memory = memory(10);
        memory.beat("h", 5, START, 3600 * SECOND, START.plus(SECOND));
        assert!(!memory.is_trusted(START.plus(SECOND + BOUND)));
    }

    #[test]
    fn a_revocation_forgets_what_has_its_key_and_nothing_else() {
        let memory = memory(10);
        assert!(keep(&memory, 1, &answer(5, &["a", "w"])) && keep(&memory, 2, &answer(5, &["b", "w"])));
        memory.revoke(6, "a");
        assert!(!knows(&memory, 1) && knows(&memory, 2));
        memory.revoke(7, "w");
        assert!(!knows(&memory, 2));
        assert_eq!((memory.len(), memory.log().by_key.len()), (0, 0));
    }

    #[test]
    fn an_answer_that_is_older_than_what_was_told_is_not_remembered() {
        let memory = memory(10);
        let ticket = memory.ticket(START);
        memory.revoke(7, "a");
        for (revision, kept) in [(5, false), (6, false), (7, true), (8, true)] {
            assert_eq!(memory.remember(&ticket, digest(1), &answer(revision, &["a"])), kept, "{revision}");
        }
        // Heartbeats of other workspaces' revisions don't make it older.
        memory.beat("h", 100, START, Duration::ZERO, START);
        assert!(keep(&memory, 2, &answer(7, &["b"])));
    }

    #[test]
    fn after_the_first_event_of_a_revision_an_answer_of_before_it_is_too_old() {
        let memory = memory(10);
        let ticket = memory.ticket(START);
        memory.revoke(6, "a");
        assert!(!memory.remember(&ticket, digest(1), &answer(5, &["a"])), "the second event would not name it again");
        memory.revoke(6, "b");
        assert!(memory.remember(&ticket, digest(1), &answer(6, &["a"])));
    }

    #[test]
    fn after_a_reset_nothing_is_remembered_until_a_heartbeat_and_nothing_that_was_asked_before() {
        let memory = memory(10);
        assert!(keep(&memory, 1, &answer(5, &["a"])));
        let ticket = memory.ticket(START);
        memory.reset(3);
        assert!(!knows(&memory, 1));
        assert!(!keep(&memory, 1, &answer(9, &["a"])));
        memory.beat("h", 3, START, Duration::ZERO, START);
        assert!(!memory.remember(&ticket, digest(1), &answer(9, &["a"])));
        assert!(keep(&memory, 1, &answer(9, &["a"])));
    }

    #[test]
    fn another_history_forgets_everything_and_answers_of_the_one_before_are_not_remembered() {
        let memory = memory(10);
        assert!(keep(&memory, 1, &answer(5, &["a"])));
        memory.beat("i", 2, START, Duration::ZERO, START);
        assert!(!knows(&memory, 1));
        assert!(!keep(&memory, 1, &answer(100, &["a"])));
    }

    #[test]
    fn before_the_first_heartbeat_nothing_is_remembered() {
        let memory = Memory::new(BOUND, 60 * SECOND, 10);
        assert!(!keep(&memory, 1, &answer(5, &["a"])));
        assert!(memory.ticket(START).told.is_none());
    }

    #[test]
    fn a_token_is_forgotten_at_its_end_and_asked_about_again_after_a_while() {
        let memory = memory(10);
        let short = Introspection { expires_in: Some(2), ..(*answer(5, &["a"])).clone() };
        assert!(keep(&memory, 1, &Arc::new(short)));
        assert!(memory.find(START.plus(2 * SECOND), &digest(1)).is_none());
        assert!(keep(&memory, 2, &answer(5, &["a"])));
        let later = START.plus(60 * SECOND);
        memory.beat("h", 5, later, Duration::ZERO, later);
        assert!(memory.find(later, &digest(2)).is_none());
    }

    #[test]
    fn what_the_server_must_count_or_has_no_keys_is_not_remembered() {
        let memory = memory(10);
        let with = |change: fn(&mut Introspection)| {
            let mut token = (*answer(5, &["a"])).clone();
            change(&mut token);
            keep(&memory, 1, &Arc::new(token))
        };
        assert!(!with(|token| token.plans = vec!["gold".to_owned()]));
        assert!(!with(|token| token.retry_after = Some(1)));
        assert!(!with(|token| token.revocation_keys.clear()));
        assert!(!with(|token| token.revision = None));
        assert!(!with(|token| token.history = None));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_leave() {
        let memory = memory(3);
        for number in 1..=5 {
            assert!(keep(&memory, number, &answer(5, &["w", &format!("k{number}")])));
        }
        // The same again takes no room of others for good.
        assert!(keep(&memory, 5, &answer(5, &["w"])));
        assert!(memory.len() <= 3 && knows(&memory, 5) && !knows(&memory, 1));
        assert!(memory.log().order.len() <= 3 && memory.log().by_key.len() <= 4);
        assert!(!keep(&Memory::new(BOUND, SECOND, 0), 1, &answer(5, &["a"])));
    }
}

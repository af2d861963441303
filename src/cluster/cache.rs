//! The validation cache: tokens that were read as alive, until something that was committed since kills them.
//!
//! It serves while this process is trusted to know of every revocation (`lease.rs`). What makes it safe is the order of
//! things: a revocation first raises the fence, then kills, and only then is its caller answered; a fill remembers the
//! fence from before its read and keeps nothing if it has moved. A kill after the fill finds the entry's cell in the index.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::applied::Applied;
use super::catalogs::Catalogs;
use super::cutoffs::{CutOffs, Reach, Verdict};
use super::fence::{Fence, Mark};
use super::imports::{ImportBook, Imports};
use super::index::{Freshness, GrantCell, GrantIndex};
use super::lease::{Lease, Trust, Trusted};
use super::lineage::Lineage;
use super::tally::Tally;
use crate::domain::catalog::Catalog;
use crate::domain::client::Client;
use crate::domain::clock::{BootTime, Clock};
use crate::domain::grant::{Grant, Revision};
use crate::domain::ids::{ClientId, GrantId, TokenId, WorkspaceId};
use crate::domain::legacy::Recipe;
use crate::domain::mutant::{self, Mutant};
use crate::store::RevocationSink;
use crate::store::cutoff::Subject;
use crate::store::follow::LogEntry;
use crate::store::legacy_import::ImportChange;
use crate::store::revision::LogKind;
use crate::store::revoke::{Applied as Revocation, Target};

/// What a cache of values of this type must know about them.
pub trait Cacheable: Send + Sync + 'static {
    /// The grant it rests on.
    fn grant(&self) -> &Grant;

    /// The key's grant, where a key opened the session: what kills it kills this.
    fn parent(&self) -> Option<GrantId> {
        self.grant().parent.as_ref().map(|parent| parent.id)
    }

    /// Approximate size in memory.
    fn bytes(&self) -> usize;
}

/// A cached value with what can kill it.
#[derive(Debug)]
pub struct Entry<T> {
    value: T,
    cell: Arc<GrantCell>,
    parent: Option<Arc<GrantCell>>,
    reach: Reach,
    /// The epoch of cut-offs that this entry is known to survive.
    survived: AtomicU64,
    /// When a use was last noted, in unix ms.
    noted: AtomicI64,
}

/// Whether a cached token may still be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Alive,
    Dead,
}

impl<T: Cacheable> Entry<T> {
    fn new(value: T, cell: Arc<GrantCell>, parent: Option<Arc<GrantCell>>, survived: u64, noted_ms: i64) -> Self {
        Self {
            reach: Reach::of(value.grant()),
            value,
            cell,
            parent,
            survived: AtomicU64::new(survived),
            noted: AtomicI64::new(noted_ms),
        }
    }
}

impl<T> Entry<T> {
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// True once per `every_ms` and entry: the caller then records a use.
    pub fn note_use(&self, now_ms: i64, every_ms: i64) -> bool {
        let noted = self.noted.load(Ordering::Relaxed);
        now_ms.saturating_sub(noted) >= every_ms
            && self.noted.compare_exchange(noted, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// A promise to fill: holds the fence from before the read.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    mark: Mark,
    epoch: u64,
}

/// The cache of one process. All methods may be called from any thread.
pub struct ValidationCache<T> {
    tokens: Cache<TokenId, Arc<Entry<T>>, ByBytes>,
    clients: Cache<ClientId, Arc<Client>>,
    client_gate: Mutex<()>,
    catalogs: Catalogs,
    imports: ImportBook,
    grants: GrantIndex,
    cut_offs: CutOffs,
    fence: Fence,
    applied: Applied,
    /// How many outcomes were unknown, and how many of them are settled. While they differ nothing is served or kept.
    unknown: AtomicU64,
    settled: AtomicU64,
    lease: Lease,
    lineage: Lineage,
    fenced_fills: AtomicU64,
    misses: AtomicU64,
    hits: Tally,
}

/// What is counted of a cache.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub tokens: u64,
    pub bytes: u64,
    pub hits: u64,
    /// Reads of the store that were to fill it.
    pub misses: u64,
    /// Those that were not kept because something was revoked meanwhile.
    pub fenced_fills: u64,
}

#[derive(Clone)]
struct ByBytes;

impl<T: Cacheable> Weighter<TokenId, Arc<Entry<T>>> for ByBytes {
    fn weight(&self, _: &TokenId, entry: &Arc<Entry<T>>) -> u64 {
        (entry.value.bytes() + size_of::<Entry<T>>()) as u64
    }
}

/// Clients are few; each is looked up with every authenticated request.
const CLIENTS: usize = 10_000;
/// Only sizes the first allocation.
const TYPICAL_TOKEN_BYTES: u64 = 1024;

impl<T: Cacheable> ValidationCache<T> {
    /// An empty cache of about `max_bytes`. `head` is the newest revision in the store.
    #[must_use]
    pub fn new(max_bytes: u64, head: Revision, trust: Trust) -> Self {
        let items = usize::try_from(max_bytes / TYPICAL_TOKEN_BYTES).unwrap_or(usize::MAX).clamp(16, 1 << 24);
        Self {
            tokens: Cache::with_weighter(items, max_bytes, ByBytes),
            clients: Cache::new(CLIENTS),
            client_gate: Mutex::default(),
            catalogs: Catalogs::default(),
            imports: ImportBook::default(),
            grants: GrantIndex::default(),
            cut_offs: CutOffs::default(),
            fence: Fence::default(),
            applied: Applied::new(head),
            unknown: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            lease: Lease::new(trust),
            lineage: Lineage::default(),
            fenced_fills: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            hits: Tally::default(),
        }
    }

    /// Has it be of about `max_bytes` from now on; what does not fit leaves at once.
    pub fn set_capacity(&self, max_bytes: u64) {
        self.tokens.set_capacity(max_bytes);
    }

    /// Whether this process may answer from memory now. To be asked before the cache is: an answer of this says nothing
    /// about what was found before.
    pub fn trusted(&self, clock: &Clock) -> Option<Trusted> {
        self.lease.check(clock)
    }

    /// The same for a caller that has read the log's head after it was asked.
    pub fn trusted_at(&self, head: Revision) -> Option<Trusted> {
        (self.applied() >= head).then_some(Lease::confirmed())
    }

    /// Whether the lease is running.
    pub fn lease_holds(&self, clock: &Clock) -> bool {
        self.lease.holds(clock)
    }

    /// What is left of the lease; `None` for a sole process.
    pub fn lease_left(&self, clock: &Clock) -> Option<Duration> {
        self.lease.left(clock)
    }

    /// Everything that a renewal has brought is in force.
    pub(super) fn grant_lease(&self, until: BootTime) {
        self.lease.grant(until);
    }

    /// From now on the store is asked.
    pub(super) fn end_lease(&self) {
        self.lease.end();
    }

    /// The revision up to which everything is applied. Read it before the entry that it shall vouch for.
    pub fn applied(&self) -> Revision {
        self.applied.revision()
    }

    /// What is kept of this token, alive or not.
    pub fn find(&self, _: &Trusted, id: &TokenId) -> Option<(Arc<Entry<T>>, Health)> {
        if self.unsettled().is_some() {
            return None;
        }
        let entry = self.tokens.get(id)?;
        let health = self.health(&entry)?;
        self.hits.add();
        Some((entry, health))
    }

    /// `None` when only the store can tell.
    fn health(&self, entry: &Entry<T>) -> Option<Health> {
        let parent = entry.parent.as_ref().map_or(Freshness::Current, |parent| parent.freshness());
        match entry.cell.freshness().max(parent) {
            Freshness::Current => {}
            Freshness::Outdated => return None,
            Freshness::Dead => return Some(Health::Dead),
        }
        let survived = entry.survived.load(Ordering::Relaxed);
        if survived == self.cut_offs.epoch() {
            return Some(Health::Alive);
        }
        match self.cut_offs.judge(&entry.reach, survived) {
            (Verdict::Unknown, _) => None,
            (Verdict::Killed, _) => Some(Health::Dead),
            (Verdict::Survives, epoch) => {
                entry.survived.store(epoch, Ordering::Relaxed);
                Some(Health::Alive)
            }
        }
    }

    /// To be called before the read that shall fill the cache.
    pub fn begin_fill(&self) -> Fill {
        self.misses.fetch_add(1, Ordering::Relaxed);
        Fill { mark: self.fence.mark(), epoch: self.cut_offs.epoch() }
    }

    /// Keeps what was read, unless something was revoked since the read began.
    pub fn fill(&self, fill: Fill, id: TokenId, value: T, noted_ms: i64) -> Arc<Entry<T>> {
        let unfenced = mutant::is(Mutant::UnfencedFill);
        let fresh = || unfenced || (self.fence.stands_at(fill.mark) && self.unsettled().is_none());
        let parent = value.parent();
        let cell = self.grants.cell(value.grant().id, fresh);
        let parent_cell = parent.and_then(|parent| self.grants.cell(parent, fresh));
        let keep = cell.is_some() && parent.is_some() == parent_cell.is_some();
        let entry = Entry::new(value, cell.unwrap_or_default(), parent_cell, fill.epoch, noted_ms);
        let entry = Arc::new(entry);
        if keep {
            self.tokens.insert(id, Arc::clone(&entry));
        } else {
            self.fenced_fills.fetch_add(1, Ordering::Relaxed);
        }
        entry
    }

    pub fn find_client(&self, _: &Trusted, id: &ClientId) -> Option<Arc<Client>> {
        if self.unsettled().is_some() { None } else { self.clients.get(id) }
    }

    /// Keeps a client that was read, unless something was revoked since the read began.
    pub fn fill_client(&self, fill: Fill, client: &Arc<Client>) {
        // Whoever raises the fence afterwards waits here before it clears; whoever did so before is seen.
        let _gate = self.client_gate.lock().unwrap_or_else(PoisonError::into_inner);
        if self.fence.stands_at(fill.mark) && self.unsettled().is_none() {
            self.clients.insert(client.client_id.clone(), Arc::clone(client));
        }
    }

    /// The APIs and plans of a workspace, if they are kept.
    pub fn find_catalog(&self, _: &Trusted, id: WorkspaceId) -> Option<Arc<Catalog>> {
        if self.unsettled().is_some() { None } else { self.catalogs.find(id) }
    }

    /// Keeps a catalog that was read, unless something was changed since the read began.
    pub fn fill_catalog(&self, fill: Fill, id: WorkspaceId, catalog: &Arc<Catalog>) {
        let fresh = || self.fence.stands_at(fill.mark) && self.unsettled().is_none();
        self.catalogs.fill(id, catalog, fresh);
    }

    /// The imports of legacy tokens, if they are known.
    pub fn find_imports(&self, _: &Trusted) -> Option<Arc<Imports>> {
        if self.unsettled().is_some() { None } else { self.imports.find() }
    }

    /// Keeps the imports that were read, unless something was changed since the read began.
    pub fn fill_imports(&self, fill: Fill, recipes: Vec<Recipe>) -> Arc<Imports> {
        let fresh = || self.fence.stands_at(fill.mark) && self.unsettled().is_none();
        self.imports.fill(recipes, fresh)
    }

    fn forget_clients(&self) {
        let _gate = self.client_gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.clients.clear();
    }

    /// The number of an unknown outcome that is not settled. A commit whose outcome nobody knows may still land, and no
    /// one would be told: until a transaction that had to wait for it has committed, only the store is believed.
    pub fn unsettled(&self) -> Option<u64> {
        let unknown = self.unknown.load(Ordering::SeqCst);
        (unknown != self.settled.load(Ordering::SeqCst)).then_some(unknown)
    }

    /// A transaction that began after outcome `unknown` and had to wait for it has committed, at revision `head`.
    pub fn settle(&self, unknown: u64, head: Revision) {
        self.empty();
        self.applied.advance(head);
        self.settled.fetch_max(unknown, Ordering::SeqCst);
        self.lineage.moved();
    }

    /// Drops everything: what is kept from now on is read at `head` or later. Of which history that is, is not known
    /// until [`Self::continue_as`].
    pub(super) fn restart(&self, head: Revision) {
        self.lineage.break_off(|| {
            self.empty();
            self.cut_offs.forget();
            self.applied.reset(head);
        });
    }

    /// From now on revisions are those of this history.
    pub fn continue_as(&self, history: &str) {
        self.lineage.continue_as(history);
    }

    /// Of which history revisions are, and when that changes.
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    fn empty(&self) {
        self.fence.raise();
        // Before and after: a fill that has passed the fence keeps its token in between, or its cell is outdated.
        self.tokens.clear();
        self.grants.outdate_all();
        self.tokens.clear();
        self.forget_clients();
        self.catalogs.forget_all();
        self.imports.forget();
    }

    /// Takes in what the log says. Everything up to `head` is then in force here.
    pub(super) fn follow(&self, entries: &[LogEntry], head: Revision) {
        let known = self.applied.revision();
        let news: Vec<&LogEntry> = entries.iter().filter(|entry| entry.revision > known).collect();
        if news.iter().any(|entry| entry.kind.is_none()) {
            tracing::info!(revision = head.value(), "the log has entries of a newer version: the cache starts afresh");
            return self.restart(head);
        }
        if !news.is_empty() {
            self.fence.raise();
            for entry in &news {
                match entry.kind {
                    Some(LogKind::Grant) => self.grants.end(GrantId::from_bytes(entry.key), Freshness::Dead),
                    Some(LogKind::Changed) => self.grants.end(GrantId::from_bytes(entry.key), Freshness::Outdated),
                    // With all its policies, the subject may be a client, a workspace or an import that is no longer one.
                    Some(LogKind::CutOff) if !entry.policy.is_empty() => {}
                    Some(LogKind::CutOff | LogKind::Catalog) => {
                        self.forget_clients();
                        self.catalogs.forget(WorkspaceId::from_bytes(entry.key));
                        self.imports.forget();
                    }
                    Some(LogKind::Probe) | None => {}
                }
            }
            let cuts = news.iter().filter(|entry| entry.kind == Some(LogKind::CutOff));
            let cuts = cuts.map(|entry| (Subject::from_bytes(entry.key), entry.policy.as_str(), entry.revision));
            self.cut_offs.raise(&cuts.collect::<Vec<_>>());
        }
        self.applied.advance(head);
        self.lineage.moved();
    }

    pub fn figures(&self) -> Figures {
        Figures {
            tokens: self.tokens.len() as u64,
            bytes: self.tokens.weight(),
            hits: self.hits.total(),
            misses: self.misses.load(Ordering::Relaxed),
            fenced_fills: self.fenced_fills.load(Ordering::Relaxed),
        }
    }
}

impl<T: Cacheable> RevocationSink for ValidationCache<T> {
    fn committed(&self, revocations: &[Revocation]) {
        self.fence.raise();
        let mut cuts = Vec::new();
        for Revocation { target, revision, changed } in revocations {
            // A grant that is revoked stays so: killing it again harms nothing, and whoever made it before may not have
            // come here yet. A cut-off that was made before must not be raised to a revision of today: it would reach
            // what has been issued since.
            match target {
                Target::Grant(id) | Target::CutOff { marked: Some(id), .. } => self.grants.end(*id, Freshness::Dead),
                Target::Changed(id) => self.grants.end(*id, Freshness::Outdated),
                Target::CutOff { marked: None, .. }
                | Target::Client(_)
                | Target::Workspace(_)
                | Target::Catalog(_)
                | Target::Import(_) => {}
            }
            match target {
                Target::CutOff { subject, policy, .. } if *changed => cuts.push((*subject, policy.as_str(), *revision)),
                Target::Client(key) if *changed => {
                    self.forget_clients();
                    cuts.push(((*key).into(), "", *revision));
                }
                Target::Workspace(id) if *changed => {
                    self.forget_clients();
                    self.catalogs.forget(*id);
                    cuts.push(((*id).into(), "", *revision));
                }
                Target::Catalog(id) => {
                    self.forget_clients();
                    self.catalogs.forget(*id);
                    self.imports.forget();
                }
                Target::Import(change) => {
                    self.imports.forget();
                    if let (ImportChange::Revoke(id), true) = (change, *changed) {
                        cuts.push(((*id).into(), "", *revision));
                    }
                }
                Target::Grant(_)
                | Target::CutOff { .. }
                | Target::Client(_)
                | Target::Workspace(_)
                | Target::Changed(_) => {}
            }
        }
        self.cut_offs.raise(&cuts);
        for revocation in revocations.iter().filter(|revocation| revocation.changed) {
            self.applied.add(revocation.revision);
        }
        self.lineage.moved();
    }

    fn outcome_unknown(&self) {
        self.unknown.fetch_add(1, Ordering::SeqCst);
        self.fence.raise();
    }
}

impl<T> fmt::Debug for ValidationCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidationCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grant::tests::grant;
    use crate::domain::grant::{Owner, Parent};
    use crate::domain::ids::UserId;

    struct Value(Grant);

    impl Cacheable for Value {
        fn grant(&self) -> &Grant {
            &self.0
        }

        fn bytes(&self) -> usize {
            100
        }
    }

    fn id(number: u8) -> TokenId {
        TokenId::from_bytes([number; 16])
    }

    fn cache() -> ValidationCache<Value> {
        ValidationCache::new(1 << 20, Revision::new(5), Trust::Sole)
    }

    fn applied(revision: i64, target: Target) -> Vec<Revocation> {
        vec![Revocation { revision: Revision::new(revision), target, changed: true }]
    }

    fn health(cache: &ValidationCache<Value>, id: &TokenId) -> Option<Health> {
        cache.find(&Lease::confirmed(), id).map(|(_, health)| health)
    }

    #[test]
    fn a_revoked_grant_kills_every_cached_token_of_it() {
        let cache = cache();
        for number in [1, 2] {
            cache.fill(cache.begin_fill(), id(number), Value(grant()), 0);
        }
        assert_eq!(health(&cache, &id(1)), Some(Health::Alive));
        cache.committed(&applied(6, Target::Grant(grant().id)));
        assert_eq!(health(&cache, &id(1)), Some(Health::Dead));
        assert_eq!(health(&cache, &id(2)), Some(Health::Dead));
        assert_eq!(cache.applied(), Revision::new(6));
    }

    #[test]
    fn a_fill_whose_read_began_before_a_revocation_is_not_kept() {
        let cache = cache();
        let fill = cache.begin_fill();
        cache.committed(&applied(6, Target::Grant(grant().id)));
        cache.fill(fill, id(1), Value(grant()), 0);
        assert_eq!(health(&cache, &id(1)), None);
        assert_eq!(cache.figures().fenced_fills, 1);
    }

    #[test]
    fn a_cut_off_kills_older_grants_of_its_subject_and_policy_only() {
        let cache = cache();
        let Owner::User { id: user, .. } = grant().owner else { unreachable!("the sample is a user's") };
        let newer = Grant { revision: Revision::new(6), ..grant() };
        let other = Grant { policy: "other".to_owned(), ..grant() };
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        cache.fill(cache.begin_fill(), id(2), Value(newer), 0);
        cache.fill(cache.begin_fill(), id(3), Value(other), 0);
        let target = Target::CutOff { subject: user.into(), policy: "short".to_owned(), marked: None };
        cache.committed(&applied(6, target));
        assert_eq!(health(&cache, &id(1)), Some(Health::Dead));
        assert_eq!(health(&cache, &id(2)), Some(Health::Alive));
        assert_eq!(health(&cache, &id(3)), Some(Health::Alive));
    }

    #[test]
    fn revoking_a_key_kills_the_sessions_that_it_opened() {
        let cache = cache();
        let key = GrantId::from_bytes([9; 16]);
        let parent = Parent {
            id: key,
            policy: "key".to_owned(),
            revision: Revision::new(5),
            current_from: 0,
            overlap_until: None,
        };
        let session = Grant { parent: Some(parent), ..grant() };
        cache.fill(cache.begin_fill(), id(1), Value(session), 0);
        cache.committed(&applied(6, Target::Grant(key)));
        assert_eq!(health(&cache, &id(1)), Some(Health::Dead));
    }

    #[test]
    fn a_cut_off_of_the_keys_policy_kills_its_sessions() {
        let cache = cache();
        let Owner::User { id: user, .. } = grant().owner else { unreachable!("the sample is a user's") };
        let parent = Parent {
            id: GrantId::from_bytes([9; 16]),
            policy: "key".to_owned(),
            revision: Revision::new(5),
            current_from: 0,
            overlap_until: None,
        };
        let session = Grant { parent: Some(parent), revision: Revision::new(6), ..grant() };
        cache.fill(cache.begin_fill(), id(1), Value(session), 0);
        let target = Target::CutOff { subject: user.into(), policy: "key".to_owned(), marked: None };
        cache.committed(&applied(6, target));
        assert_eq!(health(&cache, &id(1)), Some(Health::Dead));
    }

    #[test]
    fn cut_offs_of_one_revision_are_all_seen_also_by_what_was_checked_between_them() {
        let cache = cache();
        let Owner::User { id: user, .. } = grant().owner else { unreachable!("the sample is a user's") };
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        let other = Target::CutOff { subject: UserId::from_bytes([8; 16]).into(), policy: String::new(), marked: None };
        cache.committed(&applied(6, other));
        assert_eq!(health(&cache, &id(1)), Some(Health::Alive));
        let own = Target::CutOff { subject: user.into(), policy: String::new(), marked: None };
        cache.committed(&applied(6, own));
        assert_eq!(health(&cache, &id(1)), Some(Health::Dead));
    }

    #[test]
    fn a_revocation_that_was_made_before_reaches_nothing_newer() {
        let cache = cache();
        let Owner::User { id: user, .. } = grant().owner else { unreachable!("the sample is a user's") };
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        let target = Target::CutOff { subject: user.into(), policy: String::new(), marked: None };
        cache.committed(&[Revocation { revision: Revision::new(9), target, changed: false }]);
        assert_eq!(health(&cache, &id(1)), Some(Health::Alive));
        assert_eq!(cache.applied(), Revision::new(5));
    }

    #[test]
    fn an_unknown_outcome_suspends_the_cache_until_it_is_settled() {
        let cache = cache();
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        cache.outcome_unknown();
        assert_eq!(health(&cache, &id(1)), None);
        cache.fill(cache.begin_fill(), id(2), Value(grant()), 0);
        let unknown = cache.unsettled().unwrap();
        cache.outcome_unknown();
        cache.settle(unknown, Revision::new(7));
        assert_eq!(health(&cache, &id(2)), None, "another one is open");
        cache.settle(cache.unsettled().unwrap(), Revision::new(7));
        assert_eq!((health(&cache, &id(1)), health(&cache, &id(2))), (None, None));
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        assert_eq!(health(&cache, &id(1)), Some(Health::Alive));
        assert_eq!(cache.applied(), Revision::new(7));
    }

    fn entry(revision: i64, kind: Option<LogKind>, key: [u8; 16]) -> LogEntry {
        LogEntry { revision: Revision::new(revision), kind, key, policy: String::new() }
    }

    #[test]
    fn what_another_node_has_revoked_is_dead_here_and_the_position_is_its() {
        let cache = cache();
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        let fill = cache.begin_fill();
        cache.follow(&[entry(6, Some(LogKind::Grant), *grant().id.as_bytes())], Revision::new(7));
        assert_eq!(health(&cache, &id(1)), Some(Health::Dead));
        assert_eq!(cache.applied(), Revision::new(7));
        cache.fill(fill, id(2), Value(grant()), 0);
        assert_eq!(health(&cache, &id(2)), None, "its read may have begun before the revocation");
    }

    #[test]
    fn a_cut_off_of_another_node_kills_and_a_grant_that_changed_is_read_again() {
        let cache = cache();
        let Owner::User { id: user, .. } = grant().owner else { unreachable!("the sample is a user's") };
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        cache.follow(&[entry(6, Some(LogKind::Changed), *grant().id.as_bytes())], Revision::new(6));
        assert_eq!(health(&cache, &id(1)), None);
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        cache.follow(&[entry(7, Some(LogKind::CutOff), *Subject::from(user).as_bytes())], Revision::new(7));
        assert_eq!(health(&cache, &id(1)), Some(Health::Dead));
    }

    #[test]
    fn an_entry_of_a_kind_that_is_not_known_empties_the_cache() {
        let cache = cache();
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        cache.follow(&[entry(6, Some(LogKind::Probe), [0; 16])], Revision::new(6));
        assert_eq!(health(&cache, &id(1)), Some(Health::Alive));
        cache.follow(&[entry(7, None, [0; 16])], Revision::new(7));
        assert_eq!((health(&cache, &id(1)), cache.applied()), (None, Revision::new(7)));
    }

    #[test]
    fn what_was_revoked_here_is_not_taken_in_twice() {
        let cache = cache();
        cache.committed(&applied(6, Target::Grant(GrantId::from_bytes([9; 16]))));
        let fill = cache.begin_fill();
        cache.follow(&[entry(6, Some(LogKind::Grant), [9; 16])], Revision::new(6));
        cache.fill(fill, id(1), Value(grant()), 0);
        assert_eq!(health(&cache, &id(1)), Some(Health::Alive), "no fill was fenced off");
    }

    #[test]
    fn a_restart_goes_back_to_an_older_position_and_keeps_nothing() {
        let cache = cache();
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        let fill = cache.begin_fill();
        cache.restart(Revision::new(3));
        cache.fill(fill, id(2), Value(grant()), 0);
        assert_eq!((health(&cache, &id(1)), health(&cache, &id(2))), (None, None));
        assert_eq!(cache.applied(), Revision::new(3));
        cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        assert_eq!(health(&cache, &id(1)), Some(Health::Alive));
    }

    #[test]
    fn a_confirmed_position_is_trusted_once_it_has_been_applied() {
        let cache = cache();
        assert!(cache.trusted_at(Revision::new(5)).is_some());
        assert!(cache.trusted_at(Revision::new(6)).is_none());
    }

    #[test]
    fn a_changed_catalog_is_forgotten_and_one_that_was_read_before_is_not_kept() {
        let cache = cache();
        let (own, other) = (WorkspaceId::from_bytes([1; 16]), WorkspaceId::from_bytes([2; 16]));
        for id in [own, other] {
            cache.fill_catalog(cache.begin_fill(), id, &Arc::default());
        }
        let late = cache.begin_fill();
        cache.committed(&applied(6, Target::Catalog(own)));
        assert!(
            cache.find_catalog(&Lease::confirmed(), own).is_none()
                && cache.find_catalog(&Lease::confirmed(), other).is_some()
        );
        cache.fill_catalog(late, own, &Arc::default());
        assert!(cache.find_catalog(&Lease::confirmed(), own).is_none(), "it was read before the change");
        cache.fill_catalog(cache.begin_fill(), own, &Arc::default());
        assert!(cache.find_catalog(&Lease::confirmed(), own).is_some());
        cache.outcome_unknown();
        assert!(cache.find_catalog(&Lease::confirmed(), own).is_none());
        cache.settle(cache.unsettled().unwrap(), Revision::new(7));
        assert!(
            cache.find_catalog(&Lease::confirmed(), own).is_none()
                && cache.find_catalog(&Lease::confirmed(), other).is_none()
        );
    }

    #[test]
    fn a_use_is_noted_once_per_interval() {
        let cache = cache();
        let entry = cache.fill(cache.begin_fill(), id(1), Value(grant()), 0);
        assert!(entry.note_use(60_000, 60_000));
        assert!(!entry.note_use(61_000, 60_000));
        assert!(entry.note_use(120_000, 60_000));
    }
}

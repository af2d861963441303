//! What was revoked lately, for those who follow from outside: one copy for all of them, and how far it may be vouched
//! for. `pump.rs` fills it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use crate::domain::clock::BootTime;
use crate::domain::grant::Revision;
use crate::domain::ids::WorkspaceId;
use crate::store::log_read::OwnedEntry;

/// Shared by the pump and all followers of one process.
#[derive(Debug)]
pub struct Feed {
    recent: Mutex<Recent>,
    news: watch::Sender<News>,
    /// Rung by whoever begins to follow: the first beat shall not be waited for.
    pub(super) begun: Notify,
    places: Mutex<Places>,
    most: AtomicU32,
    /// Followers that did not take what they were sent.
    pub cut_off: AtomicU64,
}

/// How far the feed has come.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Everything up to this revision is in the feed, and in force in this process.
    pub to: Revision,
    /// Counts how often what was followed before has become worthless.
    pub breaks: u64,
    /// Counts beats, good and bad.
    pub beats: u64,
    /// Counts those that came in their time.
    pub regular: u64,
    /// The last beat, if it was good.
    pub beat: Option<Beat>,
    pub closed: bool,
}

/// Everything whose revocation had returned `at` that moment is in the feed.
#[derive(Clone, Debug)]
pub struct Beat {
    pub at: BootTime,
    pub history: Arc<str>,
}

/// The newest entries, in the order of the log.
#[derive(Debug, Default)]
struct Recent {
    entries: VecDeque<OwnedEntry>,
    /// All after this one are there.
    after: Revision,
}

#[derive(Debug, Default)]
struct Places {
    taken: HashMap<WorkspaceId, u32>,
    all: u32,
}

/// A few hundred kilobytes. Who is further behind reads the log.
const MAX_RECENT: usize = 8192;

impl Feed {
    /// For at most so many followers; one workspace gets at most half of the places.
    #[must_use]
    pub fn new(most: u32) -> Self {
        Self {
            recent: Mutex::default(),
            news: watch::Sender::new(News::default()),
            begun: Notify::new(),
            places: Mutex::default(),
            most: AtomicU32::new(most),
            cut_off: AtomicU64::new(0),
        }
    }

    /// From now on so many. Who follows already stays.
    pub fn set_most(&self, most: u32) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// A place among the followers, until it is dropped. `None` if there is none left.
    pub fn follow(self: &Arc<Self>, workspace: WorkspaceId) -> Option<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let own = places.taken.get(&workspace).copied().unwrap_or_default();
        let most = self.most.load(Ordering::Relaxed);
        if places.all >= most || own >= most.div_ceil(2) {
            return None;
        }
        places.all += 1;
        places.taken.insert(workspace, own + 1);
        drop(places);
        let news = self.news.subscribe();
        self.begun.notify_one();
        Some(Place { feed: Arc::clone(self), workspace, news })
    }

    /// How many follow.
    pub fn followers(&self) -> u32 {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).all
    }

    /// From now on all after `after` are kept.
    pub(super) fn restart(&self, after: Revision) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.entries.clear();
        recent.after = after;
    }

    pub(super) fn extend(&self, entries: Vec<OwnedEntry>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.entries.extend(entries);
        while recent.entries.len() > MAX_RECENT {
            // Of a revision all or nothing.
            let Some(oldest) = recent.entries.pop_front() else { break };
            let revision = oldest.entry.revision;
            while recent.entries.pop_front_if(|next| next.entry.revision == revision).is_some() {}
            recent.after = revision;
        }
    }

    pub(super) fn publish(&self, change: impl FnOnce(&mut News)) {
        self.news.send_modify(change);
    }

    /// The workspace's own after `after`, up to `to` inclusive; `None` if not all of them are kept here any more.
    pub fn between(&self, after: Revision, to: Revision, workspace: WorkspaceId) -> Option<Vec<OwnedEntry>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if after < recent.after {
            return None;
        }
        let start = recent.entries.partition_point(|own| own.entry.revision <= after);
        let entries = recent.entries.range(start..).take_while(|own| own.entry.revision <= to);
        Some(entries.filter(|own| concerns(own, workspace)).cloned().collect())
    }
}

/// What an older version has logged does not say whose it is.
pub fn concerns(owned: &OwnedEntry, workspace: WorkspaceId) -> bool {
    owned.workspace.is_none_or(|own| own == workspace)
}

/// One follower's place.
#[derive(Debug)]
pub struct Place {
    feed: Arc<Feed>,
    pub workspace: WorkspaceId,
    pub news: watch::Receiver<News>,
}

impl Place {
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// It is given up because the follower does not take what it is sent.
    pub fn cut_off(self) {
        self.feed.cut_off.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.feed.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.all -= 1;
        if let Some(own) = places.taken.get_mut(&self.workspace) {
            *own -= 1;
            if *own == 0 {
                places.taken.remove(&self.workspace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::follow::LogEntry;

    const OWN: WorkspaceId = WorkspaceId::from_bytes([1; 16]);
    const OTHER: WorkspaceId = WorkspaceId::from_bytes([2; 16]);

    fn owned(revision: i64, workspace: Option<WorkspaceId>) -> OwnedEntry {
        let entry = LogEntry { revision: Revision::new(revision), kind: None, key: [0; 16], policy: String::new() };
        OwnedEntry { entry, workspace }
    }

    fn between(feed: &Feed, after: i64, to: i64) -> Option<Vec<i64>> {
        let entries = feed.between(Revision::new(after), Revision::new(to), OWN)?;
        Some(entries.iter().map(|own| own.entry.revision.value()).collect())
    }

    #[test]
    fn a_workspace_sees_its_own_and_what_nobody_is_known_to_own() {
        let feed = Feed::new(10);
        feed.restart(Revision::new(5));
        feed.extend(vec![owned(6, Some(OWN)), owned(6, Some(OTHER)), owned(7, None), owned(8, Some(OWN))]);
        assert_eq!(between(&feed, 5, 7), Some(vec![6, 7]));
        assert_eq!(between(&feed, 6, 8), Some(vec![7, 8]));
        assert_eq!(between(&feed, 8, 8), Some(Vec::new()));
        assert_eq!(between(&feed, 4, 8), None, "what came before is not here");
    }

    #[test]
    fn of_too_many_the_oldest_revisions_leave_whole() {
        let feed = Feed::new(10);
        feed.restart(Revision::new(0));
        feed.extend((0..MAX_RECENT + 1).map(|number| owned(1 + i64::from(number > 2), Some(OWN))).collect());
        assert_eq!(between(&feed, 0, 9), None);
        assert_eq!(between(&feed, 1, 9).map(|all| all.len()), Some(MAX_RECENT - 2));
    }

    #[test]
    fn places_are_few_and_one_workspace_takes_half_of_them() {
        let feed = Arc::new(Feed::new(4));
        let mut own: Vec<Place> = (0..2).map(|_| feed.follow(OWN).unwrap()).collect();
        assert!(feed.follow(OWN).is_none());
        let others = [feed.follow(OTHER).unwrap(), feed.follow(OTHER).unwrap()];
        assert!(feed.follow(WorkspaceId::from_bytes([3; 16])).is_none());
        assert_eq!(feed.followers(), 4);
        drop(others);
        own.pop();
        assert_eq!(feed.followers(), 1);
        assert!(feed.follow(OWN).is_some());
    }
}

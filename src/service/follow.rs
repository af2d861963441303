//! Following the revocations of a workspace from outside: what a follower is told next.
//!
//! A heartbeat says that everything whose revocation had returned at a certain moment was told before it. The moment is
//! told as the time that has passed since the follower's request came, which is a time on both sides: the follower knows
//! when it had sent the request. When the heartbeat itself arrives says nothing: it may have been held up on the way.

use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::cluster::feed::{News, Place, concerns};
use crate::domain::clock::BootTime;
use crate::domain::grant::Revision;
use crate::domain::ids::WorkspaceId;
use crate::store::StoreError;
use crate::store::log_read::OwnedEntry;

/// One follower. Dropping it gives its place back.
#[derive(Debug)]
pub struct Following {
    service: Service,
    place: Place,
    /// Everything up to here was told, or was known to the follower.
    told: Revision,
    breaks: u64,
    /// Not before the request had come.
    started: BootTime,
    seen: Option<Seen>,
    missed: u32,
}

/// The beat that the follower has heard of last.
#[derive(Clone, Copy, Debug)]
struct Seen {
    beats: u64,
    regular: u64,
}

/// What a follower is told.
#[derive(Debug)]
pub enum Step {
    /// Of its workspace, in the order of the log; of a revision all or nothing.
    Entries(Vec<OwnedEntry>),
    /// Whatever it has kept is worthless; it goes on from here.
    Reset(Revision),
    /// Everything up to `revision` was told, and that is everything that had returned `after` its request.
    Heartbeat {
        revision: Revision,
        after: Duration,
        history: Arc<str>,
    },
    /// This process does not know whether it knows of everything.
    Behind,
    End,
}

/// Why nobody can follow now.
#[derive(Debug, thiserror::Error)]
pub enum FollowFailure {
    #[error("there is no place left")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long to wait for the first good beat.
const START_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait for what another node has told already.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(1);
/// After so many beats that were not good another node may do better.
const MAX_MISSED: u32 = 5;

impl Service {
    /// Begins to follow after revision `since`, or from now on.
    ///
    /// # Errors
    /// [`FollowFailure`]; the store's also where this process is not caught up with the log.
    pub async fn follow(&self, workspace: WorkspaceId, since: Option<Revision>) -> Result<Following, FollowFailure> {
        let started = self.clock.boottime();
        let place = self.feed.follow(workspace).ok_or(FollowFailure::Full)?;
        let (service, breaks) = (self.clone(), place.news.borrow().breaks);
        let mut following = Following { service, place, told: Revision::ZERO, breaks, started, seen: None, missed: 0 };
        let begun = tokio::time::timeout(START_TIMEOUT, following.begin(since)).await;
        begun.unwrap_or(Err(StoreError::Unavailable(None)))?;
        Ok(following)
    }
}

impl Following {
    /// Returns once this process is caught up, if it can be with what the follower knows already.
    async fn begin(&mut self, since: Option<Revision>) -> Result<(), StoreError> {
        let (before, started) = (self.place.news.borrow().beats, self.started);
        // A beat that was begun earlier would be told as one of after the request.
        let good = |news: &News| news.beats > before && news.beat.as_ref().is_some_and(|beat| beat.at >= started);
        let Ok(news) = self.place.news.wait_for(|news| news.closed || good(news)).await.map(|news| news.clone()) else {
            return Err(StoreError::Unavailable(None));
        };
        if news.closed {
            return Err(StoreError::Unavailable(None));
        }
        self.breaks = news.breaks;
        self.told = since.unwrap_or(news.to);
        let caught_up = self.place.news.wait_for(|news| news.closed || news.to >= self.told);
        let _or_it_starts_afresh = tokio::time::timeout(CATCH_UP_TIMEOUT, caught_up).await.map(drop);
        Ok(())
    }

    /// Waits for what is to be told next.
    pub async fn next(&mut self) -> Step {
        loop {
            let news = self.place.news.borrow_and_update().clone();
            if news.closed {
                return Step::End;
            }
            // A follower that is ahead of this process knows another history, or this one is late: it starts afresh.
            if news.breaks != self.breaks || self.told > news.to {
                (self.breaks, self.told) = (news.breaks, news.to);
                return Step::Reset(news.to);
            }
            if self.told < news.to {
                match self.between(news.to).await {
                    Ok(entries) => {
                        self.told = news.to;
                        match entries {
                            None => return Step::Reset(news.to),
                            Some(entries) if !entries.is_empty() => return Step::Entries(entries),
                            Some(_) => {}
                        }
                    }
                    Err(error) => {
                        tracing::warn!(error = ?error, "a follower could not be told what it has missed");
                        let _closed_is_seen_above = self.place.news.changed().await;
                        return self.miss();
                    }
                }
            }
            let seen = self.seen.replace(Seen { beats: news.beats, regular: news.regular });
            let is_due = seen.is_none_or(|seen| news.beats != seen.beats && news.regular != seen.regular);
            if is_due {
                let good = news.beat.filter(|beat| beat.at >= self.started);
                let Some(beat) = good else { return self.miss() };
                self.missed = 0;
                let after = beat.at.since(self.started);
                return Step::Heartbeat { revision: news.to, after, history: beat.history };
            }
            if self.place.news.changed().await.is_err() {
                return Step::End;
            }
        }
    }

    fn miss(&mut self) -> Step {
        self.missed += 1;
        if self.missed > MAX_MISSED { Step::End } else { Step::Behind }
    }

    async fn between(&self, to: Revision) -> Result<Option<Vec<OwnedEntry>>, StoreError> {
        let workspace = self.place.workspace;
        if let Some(kept) = self.place.feed().between(self.told, to, workspace) {
            return Ok(Some(kept));
        }
        let read = self.service.store.read_log(self.told, to).await?;
        Ok(read.map(|all| all.into_iter().filter(|own| concerns(own, workspace)).collect()))
    }

    /// The follower does not take what it is sent.
    pub fn cut_off(self) {
        self.place.cut_off();
    }
}

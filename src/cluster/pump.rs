//! Reads the log for those who follow from outside, while there are any.
//!
//! The order is the protocol, the same as for a validation from memory: the clock; then whether this process knows of
//! everything that had returned by then; then up to where it has applied the log; then what stands in the log up to there.
//! Nothing is passed on that is not in force here.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::cache::{Cacheable, ValidationCache};
use super::feed::{Beat, Feed};
use super::membership::pause;
use crate::domain::clock::Clock;
use crate::domain::grant::Revision;
use crate::store::{Store, StoreError};

/// The task that reads.
#[derive(Debug)]
pub struct Pump<T> {
    pub feed: Arc<Feed>,
    pub cache: Arc<ValidationCache<T>>,
    pub store: Store,
    pub clock: Clock,
    /// No lease tells that this process knows of everything: the log's head is read.
    pub confirms: bool,
}

/// Up to where the feed has been filled, and under which count of breaks.
#[derive(Clone, Copy)]
struct Position {
    to: Revision,
    breaks: u64,
}

/// What made a round begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Tick,
    Begun,
    Moved,
}

const BEAT_EVERY: Duration = Duration::from_secs(1);
/// Revocations that come one after the other are read together.
const GATHER: Duration = Duration::from_millis(5);

impl<T: Cacheable> Pump<T> {
    /// Reads until `stop`, then tells the followers that it is over.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut position = None;
        let mut ticks = tokio::time::interval(BEAT_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let cause = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                _ = ticks.tick() => Cause::Tick,
                () = self.feed.begun.notified() => Cause::Begun,
                () = self.cache.lineage().when_moved() => Cause::Moved,
            };
            if self.feed.followers() == 0 {
                position = None;
                continue;
            }
            let round = self.round(&mut position, cause);
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                () = round => {}
            }
            if cause != Cause::Tick {
                pause(GATHER).await;
            }
        }
        self.feed.publish(|news| news.closed = true);
    }

    async fn round(&self, position: &mut Option<Position>, cause: Cause) {
        let beat = if cause == Cause::Moved { None } else { self.beat().await };
        let read = self.read(position).await.unwrap_or_else(|error| {
            tracing::warn!(error = ?error, "the log could not be read for those who follow it");
            false
        });
        let Some(Position { to, breaks }) = *position else { return };
        self.feed.publish(|news| {
            if news.breaks != breaks {
                news.beat = None;
            }
            (news.to, news.breaks) = (to, breaks);
            if cause == Cause::Moved {
                return;
            }
            news.beats += 1;
            news.regular += u64::from(cause == Cause::Tick);
            // A break in between: what was asked before says nothing about what has been read after.
            news.beat = beat.filter(|(_, before)| read && *before == breaks).map(|(beat, _)| beat);
        });
    }

    /// What may be said of everything that is applied from now on; with the count of breaks as of which that holds.
    async fn beat(&self) -> Option<(Beat, u64)> {
        let at = self.clock.boottime();
        let breaks = self.cache.lineage().breaks();
        let history = self.cache.lineage().label()?;
        if self.confirms {
            let head = self.store.confirmed_head().await.ok()?;
            if self.cache.applied() < head {
                return None;
            }
        }
        // After the read: only the primary can have answered it then.
        if !self.cache.lease_holds(&self.clock) || self.cache.unsettled().is_some() {
            return None;
        }
        Some((Beat { at, history }, breaks))
    }

    /// Takes in what was applied since the last time. Whether that is everything, of one history.
    async fn read(&self, position: &mut Option<Position>) -> Result<bool, StoreError> {
        let lineage = self.cache.lineage();
        let breaks = lineage.breaks();
        let to = self.cache.applied();
        let entries = match *position {
            Some(known) if known.breaks == breaks && known.to >= to => return Ok(true),
            Some(known) if known.breaks == breaks => self.store.read_log(known.to, to).await?,
            Some(_) | None => None,
        };
        if lineage.breaks() != breaks {
            return Ok(false);
        }
        match entries {
            Some(entries) => self.feed.extend(entries),
            // Who is further back than this reads the log without help.
            None => self.feed.restart(to),
        }
        *position = Some(Position { to, breaks });
        Ok(true)
    }
}

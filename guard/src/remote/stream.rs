//! Owns the task that follows the revocations and tells the memory.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::clock::{self, Moment};
use super::event::{Event, Reader, Sent};
use super::memory::Memory;
use super::server::{Failure, Server};

/// The task; it runs until it is aborted.
pub(super) struct Stream {
    pub server: Arc<Server>,
    pub memory: Arc<Memory>,
    /// Where to go on.
    pub position: Option<u64>,
}

/// How a stream has ended.
enum End {
    /// It was left because it is old.
    Old,
    /// It was lost after it had been good.
    Lost,
    Failed(Failure),
}

/// A server answers within this, or a moment later: it waits for its own heartbeat.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// There is a heartbeat each second.
const SILENCE: Duration = Duration::from_secs(4);
/// Two clocks that differ in their rate drift apart: measured anew from time to time.
const RENEW_AFTER: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Stream {
    pub(super) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.follow().await {
                End::Old => {
                    pause = FIRST_PAUSE;
                    continue;
                }
                End::Lost => pause = FIRST_PAUSE,
                // Somebody has to give this client its right, or the service its secret.
                End::Failed(Failure::Refused) => pause = LONGEST_PAUSE,
                End::Failed(Failure::Later { .. } | Failure::NoAnswer) => {}
            }
            wait(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn follow(&mut self) -> End {
        // Before the request: the heartbeats are counted from here.
        let sent = clock::now();
        let mut response = match timeout(HEAD_TIMEOUT, self.server.revocations(self.position)).await {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => return End::Failed(failure),
            Err(_elapsed) => return End::Failed(Failure::NoAnswer),
        };
        let (mut reader, mut events, mut was_good) = (Reader::default(), Vec::new(), false);
        let ended = |was_good| if was_good { End::Lost } else { End::Failed(Failure::NoAnswer) };
        loop {
            let Ok(Ok(Some(piece))) = timeout(SILENCE, response.chunk()).await else {
                return ended(was_good);
            };
            let read = reader.read(&piece, &mut events);
            for Sent { event, id } in events.drain(..) {
                was_good |= self.take(event, sent);
                // After the event: what is not done yet is sent again.
                self.position = id.or(self.position);
            }
            if read.is_err() {
                // What it says may be a revocation.
                self.memory.reset(0);
                return End::Failed(Failure::NoAnswer);
            }
            if was_good && clock::now().since(sent) > RENEW_AFTER {
                return End::Old;
            }
        }
    }

    /// Whether the server vouches for what it has told.
    fn take(&mut self, event: Event, sent: Moment) -> bool {
        match event {
            Event::Revocation { revision, key } => self.memory.revoke(revision, &key),
            Event::Reset { revision } => {
                self.memory.reset(revision);
                self.position = Some(revision);
            }
            Event::Heartbeat { revision, after_ms, history } => {
                self.memory.beat(&history, revision, sent, Duration::from_millis(after_ms), clock::now());
                return true;
            }
            Event::Behind => {}
        }
        false
    }
}

#[expect(clippy::disallowed_methods, reason = "paces attempts; what may be remembered is decided by the clock")]
async fn wait(pause: Duration) {
    sleep(pause).await;
}

/// Half to the whole of it, so that many do not come at once.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let share = u32::try_from(random % 512).unwrap_or(0) + 512;
    pause * share / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_half_of_what_it_may_be_or_more() {
        for _ in 0..100 {
            let pause = jittered(LONGEST_PAUSE);
            assert!(pause >= LONGEST_PAUSE / 2 && pause <= LONGEST_PAUSE, "{pause:?}");
        }
    }
}

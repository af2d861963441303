//! Handshakes in progress. There are never more than a fixed number; for a further one the oldest is given up, so that
//! clients that begin handshakes and leave them lying can't keep out one that goes on with its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

#[derive(Debug)]
pub(super) struct Handshakes(Mutex<Running>);

/// How many there may be, and how long each may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct HandshakeLimits {
    pub(super) most: u32,
    pub(super) timeout: Duration,
}

/// By number, which is their order.
#[derive(Debug)]
struct Running {
    limits: HandshakeLimits,
    next: u64,
    turns: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// One handshake's place; dropped, it is free.
#[derive(Debug)]
pub(crate) struct Turn {
    /// How long it may take.
    pub(super) timeout: Duration,
    handshakes: Arc<Handshakes>,
    number: u64,
    given_up: oneshot::Receiver<()>,
}

impl Handshakes {
    pub(super) const fn new(limits: HandshakeLimits) -> Self {
        Self(Mutex::new(Running { limits, next: 0, turns: VecDeque::new() }))
    }

    /// For handshakes that begin from now on. Where there are more than fit, the oldest are given up.
    pub(super) fn limit(&self, limits: HandshakeLimits) {
        let mut running = self.running();
        running.limits = limits;
        let surplus = running.turns.len().saturating_sub(limits.most as usize);
        running.turns.drain(..surplus);
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(self: &Arc<Self>) -> Turn {
        let (sender, given_up) = oneshot::channel();
        let mut running = self.running();
        let number = running.next;
        running.next += 1;
        if running.turns.len() >= running.limits.most as usize {
            // Dropping what it would be told by tells it.
            running.turns.pop_front();
        }
        running.turns.push_back((number, sender));
        Turn { timeout: running.limits.timeout, handshakes: Arc::clone(self), number, given_up }
    }
}

impl Turn {
    /// Returns when another handshake has taken this one's place.
    pub(super) async fn given_up(&mut self) {
        let _sender_is_gone = (&mut self.given_up).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.handshakes.running();
        if let Ok(place) = running.turns.binary_search_by_key(&self.number, |(number, _)| *number) {
            running.turns.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn limits(most: u32) -> HandshakeLimits {
        HandshakeLimits { most, timeout: Duration::MAX }
    }

    #[test]
    fn the_oldest_handshake_gives_way_to_a_further_one() {
        let handshakes = Arc::new(Handshakes::new(limits(2)));
        let mut turns = [handshakes.begin(), handshakes.begin()];
        assert!(turns.iter_mut().all(|turn| turn.given_up().now_or_never().is_none()));
        let mut third = handshakes.begin();
        let given_up = turns.each_mut().map(|turn| turn.given_up().now_or_never().is_some());
        assert_eq!(given_up, [true, false]);
        assert!(third.given_up().now_or_never().is_none());
        drop(turns);
        let mut fourth = handshakes.begin();
        assert!(third.given_up().now_or_never().is_none() && fourth.given_up().now_or_never().is_none());
        assert_eq!(handshakes.running().turns.len(), 2);
    }

    #[test]
    fn with_room_for_fewer_the_oldest_are_given_up_at_once() {
        let handshakes = Arc::new(Handshakes::new(limits(3)));
        let mut turns = [handshakes.begin(), handshakes.begin(), handshakes.begin()];
        handshakes.limit(limits(1));
        let given_up = turns.each_mut().map(|turn| turn.given_up().now_or_never().is_some());
        assert_eq!(given_up, [true, true, false]);
        handshakes.limit(limits(2));
        let _second = handshakes.begin();
        assert!(turns[2].given_up().now_or_never().is_none());
    }
}

//! Handshakes in progress. There are never more than a fixed number; for a further one the oldest is given up, so that
//! clients that begin handshakes and leave them lying can't keep out one that goes on with its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

#[derive(Debug)]
pub(super) struct Handshakes {
    most: usize,
    running: Mutex<Running>,
}

/// By number, which is their order.
#[derive(Debug, Default)]
struct Running {
    next: u64,
    turns: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// One handshake's place; dropped, it is free.
#[derive(Debug)]
pub(crate) struct Turn {
    handshakes: Arc<Handshakes>,
    number: u64,
    given_up: oneshot::Receiver<()>,
}

impl Handshakes {
    pub(super) fn new(most: u32) -> Self {
        Self { most: most as usize, running: Mutex::default() }
    }

    pub(super) fn begin(self: &Arc<Self>) -> Turn {
        let (sender, given_up) = oneshot::channel();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let number = running.next;
        running.next += 1;
        if running.turns.len() >= self.most {
            // Dropping what it would be told by tells it.
            running.turns.pop_front();
        }
        running.turns.push_back((number, sender));
        Turn { handshakes: Arc::clone(self), number, given_up }
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
        let mut running = self.handshakes.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(place) = running.turns.binary_search_by_key(&self.number, |(number, _)| *number) {
            running.turns.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn the_oldest_handshake_gives_way_to_a_further_one() {
        let handshakes = Arc::new(Handshakes::new(2));
        let mut turns = [handshakes.begin(), handshakes.begin()];
        assert!(turns.iter_mut().all(|turn| turn.given_up().now_or_never().is_none()));
        let mut third = handshakes.begin();
        let given_up = turns.each_mut().map(|turn| turn.given_up().now_or_never().is_some());
        assert_eq!(given_up, [true, false]);
        assert!(third.given_up().now_or_never().is_none());
        drop(turns);
        let mut fourth = handshakes.begin();
        assert!(third.given_up().now_or_never().is_none() && fourth.given_up().now_or_never().is_none());
        assert_eq!(handshakes.running.lock().unwrap().turns.len(), 2);
    }
}

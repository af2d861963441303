//! The places for connections of a listener. How many there are may change while they are taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

/// Of one listener, which alone takes places.
#[derive(Debug)]
pub(super) struct Places {
    most: AtomicU32,
    taken: AtomicU32,
    freed: Notify,
}

/// One connection's; dropped, it is free.
#[derive(Debug)]
pub(super) struct Place(Arc<Places>);

impl Places {
    pub(super) fn new(most: u32) -> Arc<Self> {
        Arc::new(Self { most: AtomicU32::new(most), taken: AtomicU32::new(0), freed: Notify::new() })
    }

    /// From now on so many. Connections that are open stay, also where they are more.
    pub(super) fn set_most(&self, most: u32) {
        self.most.store(most, Ordering::Release);
        self.freed.notify_one();
    }

    /// Waits for a place. Only one task may wait: it is all that is woken.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        while self.taken.load(Ordering::Acquire) >= self.most.load(Ordering::Acquire) {
            // One that is freed between the look and the wait has left its word.
            self.freed.notified().await;
        }
        self.taken.fetch_add(1, Ordering::AcqRel);
        Place(Arc::clone(self))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn take(places: &Arc<Places>) -> Option<Place> {
        places.take().now_or_never()
    }

    #[test]
    fn a_further_connection_waits_until_one_has_ended() {
        let places = Places::new(2);
        let (first, _second) = (take(&places).unwrap(), take(&places).unwrap());
        let mut third = Box::pin(places.take());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(third.now_or_never().is_some());
    }

    #[test]
    fn with_more_places_the_one_that_waits_goes_on() {
        let places = Places::new(1);
        let _first = take(&places).unwrap();
        let mut second = Box::pin(places.take());
        assert!(second.as_mut().now_or_never().is_none());
        places.set_most(2);
        assert!(second.now_or_never().is_some());
    }

    #[test]
    fn with_fewer_places_as_many_must_end_before_another_begins() {
        let places = Places::new(3);
        let mut open: Vec<Place> = (0..3).map(|_| take(&places).unwrap()).collect();
        places.set_most(1);
        open.pop();
        open.pop();
        assert!(take(&places).is_none());
        open.pop();
        assert!(take(&places).is_some());
    }
}

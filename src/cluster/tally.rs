//! A counter for the hot path: each thread counts in a place of its own.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts up. Threads share no cache line as long as there are few of them.
#[derive(Debug, Default)]
pub struct Tally([Slot; SLOTS]);

/// Two cache lines: they are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Slot(AtomicU64);

const SLOTS: usize = 16;

thread_local! {
    /// Only its address counts.
    static PLACE: [u8; 128] = const { [0; 128] };
}

impl Tally {
    pub fn add(&self) {
        let slot = PLACE.with(|place| (std::ptr::from_ref(place).addr() / 4096) % SLOTS);
        self.0[slot].0.fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted since the last call.
    pub(super) fn take(&self) -> u64 {
        self.0.iter().map(|slot| slot.0.swap(0, Ordering::Relaxed)).sum()
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|slot| slot.0.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_lost_whoever_counts() {
        let tally = Tally::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| tally.add()));
            }
        });
        assert_eq!(tally.total(), 4000);
        assert_eq!((tally.take(), tally.total()), (4000, 0));
    }
}

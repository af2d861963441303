//! Whether the database still has all that it has acknowledged. Its log only grows: one that is shorter than it was is of a
//! database that was restored from a backup, or that lost commits in a failover, and what was revoked there is good again.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::watch;

use crate::domain::grant::Revision;

/// What this process has seen of the log.
#[derive(Debug)]
pub struct History {
    newest: AtomicI64,
    lost: watch::Sender<bool>,
}

impl History {
    /// `head` is the newest revision at the start.
    #[must_use]
    pub fn new(head: Revision) -> Self {
        Self { newest: AtomicI64::new(head.value()), lost: watch::Sender::new(false) }
    }

    /// Takes note of the log's head. False once it has been lower than before: then nothing may be answered any more.
    /// To be called by one task, in the order of its reads.
    pub(crate) fn goes_on(&self, head: Revision) -> bool {
        let before = self.newest.fetch_max(head.value(), Ordering::SeqCst);
        if head.value() < before {
            self.lost.send_replace(true);
        }
        !*self.lost.borrow()
    }

    /// The newest revision that was seen.
    #[must_use]
    pub fn newest(&self) -> Revision {
        Revision::new(self.newest.load(Ordering::SeqCst))
    }

    /// Returns once the log has gone back.
    pub async fn lost(&self) {
        let _the_sender_lives_as_long_as_this = self.lost.subscribe().wait_for(|lost| *lost).await.map(drop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_has_gone_back_once_is_never_trusted_again() {
        let history = History::new(Revision::new(5));
        assert!(history.goes_on(Revision::new(5)) && history.goes_on(Revision::new(7)));
        assert!(!history.goes_on(Revision::new(6)));
        assert!(!history.goes_on(Revision::new(9)), "it may have grown past what was lost");
        assert_eq!(history.newest(), Revision::new(9));
    }
}

//! Hears the warnings that PostgreSQL sends with a commit.
//!
//! A commit whose wait for the synchronous standby is cancelled (by a statement timeout, an administrator, a shutdown)
//! is answered as a success, with a warning: it is on this server and perhaps nowhere else. The driver only logs such
//! notices, so that they are heard where it logs them: by a subscriber that is in place while a commit is polled.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::dispatcher::{self, Dispatch};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Level, Metadata};

/// Where the driver logs what the server says beside its answers.
const NOTICES: &str = "sqlx::postgres::notice";

#[derive(Clone, Debug)]
pub(super) struct Warnings {
    dispatch: Dispatch,
    heard: Arc<AtomicU64>,
}

impl Warnings {
    /// What is logged goes on to whoever is subscribed now.
    pub(super) fn new() -> Self {
        let heard = Arc::<AtomicU64>::default();
        let outer = dispatcher::get_default(Clone::clone);
        Self { dispatch: Dispatch::new(Listener { outer, heard: Arc::clone(&heard) }), heard }
    }

    /// Runs `commit` and tells whether a warning came meanwhile. One that another commit was given counts too: it is
    /// better to know less than to believe more.
    pub(super) async fn watch<F: Future>(&self, commit: F) -> (F::Output, bool) {
        let before = self.heard.load(Ordering::SeqCst);
        let mut commit = pin!(commit);
        let output = poll_fn(|cx| dispatcher::with_default(&self.dispatch, || commit.as_mut().poll(cx))).await;
        (output, self.heard.load(Ordering::SeqCst) != before)
    }
}

struct Listener {
    outer: Dispatch,
    heard: Arc<AtomicU64>,
}

fn is_warning(metadata: &Metadata<'_>) -> bool {
    metadata.target() == NOTICES && *metadata.level() <= Level::WARN
}

impl Subscriber for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_warning(metadata) { Interest::always() } else { Interest::sometimes() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_warning(metadata) || self.outer.enabled(metadata)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.outer.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.outer.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.outer.record_follows_from(span, follows);
    }

    fn event(&self, event: &Event<'_>) {
        if is_warning(event.metadata()) {
            self.heard.fetch_add(1, Ordering::SeqCst);
        }
        if self.outer.enabled(event.metadata()) {
            self.outer.event(event);
        }
    }

    fn enter(&self, span: &Id) {
        self.outer.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.outer.exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.outer.clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        self.outer.try_close(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_warning_of_the_server_is_heard_and_other_events_are_not() {
        let warnings = Warnings::new();
        let (value, warned) = warnings
            .watch(async {
                tracing::warn!("not the server");
                tracing::info!(target: "sqlx::postgres::notice", "table exists, skipping");
                1
            })
            .await;
        assert_eq!((value, warned), (1, false));
        let ((), warned) = warnings
            .watch(async {
                tokio::task::yield_now().await;
                tracing::warn!(target: "sqlx::postgres::notice", "canceling wait for synchronous replication");
            })
            .await;
        assert!(warned);
        let ((), warned) = warnings.watch(async {}).await;
        assert!(!warned);
    }
}

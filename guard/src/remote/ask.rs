//! Owns the questions that are on their way: one at a time about each token, and not too many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::RemoteToken;
use super::clock::{self, Moment};
use super::memory::{Digest, Memory};
use super::server::{Failure, Server};
use crate::introspection::Introspection;
use crate::validator::{Inactive, Outcome, Unavailable};

/// Asks. Cloning is cheap.
#[derive(Clone, Debug)]
pub(super) struct Asking(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    server: Arc<Server>,
    memory: Arc<Memory>,
    timeout: Duration,
    /// How old a question may be whose answer another request is given: it says nothing about what was revoked after it was sent.
    shared_for: Duration,
    places: Semaphore,
    asked: Mutex<HashMap<Digest, Asked>>,
}

/// A question that is on its way.
#[derive(Clone, Debug)]
struct Asked {
    at: Moment,
    answer: watch::Receiver<Option<Answer>>,
}

/// What has come of it, for everybody who waits.
#[derive(Clone, Debug)]
enum Answer {
    Active(Arc<Introspection>),
    Inactive(Inactive),
    None(Failure),
}

impl Asking {
    pub(super) fn new(
        server: Arc<Server>,
        memory: Arc<Memory>,
        timeout: Duration,
        shared_for: Duration,
        most: usize,
    ) -> Self {
        let places = Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS));
        Self(Arc::new(Shared { server, memory, timeout, shared_for, places, asked: Mutex::default() }))
    }

    pub(super) fn server(&self) -> &Server {
        &self.0.server
    }

    /// The decision on a token for a request that has come at `now`.
    pub(super) async fn ask(self, now: Moment, digest: Digest, token: String) -> Outcome<RemoteToken> {
        let mut answer = self.join(now, digest, token);
        let answered = match answer.wait_for(Option::is_some).await {
            Ok(answered) => (*answered).clone(),
            // The task was stopped with the runtime.
            Err(_closed) => None,
        };
        match answered.unwrap_or(Answer::None(Failure::NoAnswer)) {
            Answer::Active(token) => Outcome::Active(RemoteToken(token)),
            Answer::Inactive(inactive) => Outcome::Inactive(inactive),
            Answer::None(failure) => Outcome::Unavailable(Unavailable::from(failure)),
        }
    }

    /// The question that is on its way, if it is not too old; else another one.
    fn join(&self, now: Moment, digest: Digest, token: String) -> watch::Receiver<Option<Answer>> {
        let mut asked = self.asked();
        if let Some(known) = asked.get(&digest).filter(|known| now.since(known.at) < self.0.shared_for) {
            return known.answer.clone();
        }
        let (sender, answer) = watch::channel(None);
        asked.insert(digest, Asked { at: now, answer: answer.clone() });
        drop(asked);
        let asking = self.clone();
        // A task: whoever waits first may go away.
        tokio::spawn(async move {
            let told = asking.question(digest, &token).await;
            asking.forget(&digest, now);
            sender.send_replace(Some(told));
        });
        answer
    }

    async fn question(&self, digest: Digest, token: &str) -> Answer {
        let shared = &self.0;
        let asking = async {
            let _place = shared.places.acquire().await.ok();
            // In this order: the answer reflects what is so after both.
            let ticket = shared.memory.ticket(clock::now());
            (shared.server.introspect(token, ticket.told).await, ticket)
        };
        let (told, ticket) = match timeout(shared.timeout, asking).await {
            Ok((Ok(told), ticket)) => (told, ticket),
            Ok((Err(failure), _)) => return Answer::None(failure),
            Err(_elapsed) => return Answer::None(Failure::NoAnswer),
        };
        match told.into_outcome() {
            Outcome::Active(token) => {
                let token = Arc::new(token);
                shared.memory.remember(&ticket, digest, &token);
                Answer::Active(token)
            }
            Outcome::Inactive(inactive) => Answer::Inactive(inactive),
            Outcome::Unavailable(unavailable) => {
                Answer::None(Failure::Later { retry_after_s: Some(unavailable.retry_after_s) })
            }
        }
    }

    fn forget(&self, digest: &Digest, at: Moment) {
        let mut asked = self.asked();
        if asked.get(digest).is_some_and(|own| own.at == at) {
            asked.remove(digest);
        }
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<Digest, Asked>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

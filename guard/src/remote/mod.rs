//! A validator that asks a Jeton server (RFC 7662), and remembers the answers as long as it may (feature `remote`).
//!
//! # What is promised
//!
//! A request that begins later than the *bound* (three seconds, [`RemoteBuilder::bound`]) after a revocation was answered
//! with 2xx is not accepted with the revoked token: whatever happens to the network, to the nodes of the server or to wall
//! clocks. Normally a revocation is known here some milliseconds after it is in force there. A server that does not answer is
//! [`Outcome::Unavailable`], a 503, and never makes a good token a bad one.
//!
//! # How it is kept
//!
//! The validator follows `GET /oauth20/revocations`. The server tells with a heartbeat each second, when, counted from the request for
//! the stream, it was true that everything that had returned was told. That moment on the own clock, which counts time in
//! suspend and which nobody sets, and not the time at which the heartbeat has arrived, is what the bound is counted from: a
//! stream that something on the way holds back is not relied upon, though it goes on. Beyond the bound each token is asked about. An
//! answer is remembered only if it is not older than anything that the stream has told, whichever node has given it.
//!
//! Not remembered are tokens with plans, whose uses the server counts, and refusals. What is remembered is asked about again
//! after a minute, so that the server knows of the use of a token to a minute.
//!
//! # Example
//!
//! ```
//! use jeton_guard::remote::RemoteValidator;
//! use jeton_guard::{Challenge, GuardLayer, Requirement};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = std::env::var("CLIENT_SECRET").unwrap_or_default();
//! let jeton = RemoteValidator::builder("https://auth.example", "orders", secret).build()?;
//! let guard = GuardLayer::new(jeton, Challenge::new("orders"))
//!     .require(Requirement::none().scope("orders:read"));
//! # drop(guard);
//! # Ok(())
//! # }
//! ```

mod ask;
mod clock;
mod event;
mod memory;
mod server;
mod stream;

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::Url;
use reqwest::redirect::Policy;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use ask::Asking;
use memory::Memory;
use server::{CONNECT_TIMEOUT, Server};
use stream::Stream;

use crate::introspection::Introspection;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::requirement::Requirement;
use crate::validator::{Outcome, TokenView, Validator};

/// Asks a Jeton server about tokens. Clones share what they remember and one stream, which ends with the last of them.
///
/// ```
/// use jeton_guard::remote::RemoteValidator;
/// use jeton_guard::{Outcome, Validator};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Nobody listens there: that says nothing about the token.
/// let jeton = RemoteValidator::builder("http://127.0.0.1:9", "orders", "secret").build()?;
/// assert!(matches!(jeton.validate("jtn_a_x").await, Outcome::Unavailable(_)));
/// assert!(!jeton.is_following());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteValidator {
    asking: Asking,
    memory: Arc<Memory>,
    _stream: Option<Arc<Following>>,
}

/// The task that follows, ended with the last validator.
struct Following(AbortHandle);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How a [`RemoteValidator`] asks; made by [`RemoteValidator::builder`].
///
/// ```
/// use std::time::Duration;
///
/// use jeton_guard::remote::RemoteValidator;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), jeton_guard::remote::BuildError> {
/// let jeton = RemoteValidator::builder("https://auth.example", "orders", "secret")
///     .bound(Duration::from_secs(5))
///     .timeout(Duration::from_secs(1))
///     .max_tokens(10_000)
///     .build()?;
/// # drop(jeton);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteBuilder {
    url: String,
    client_id: String,
    client_secret: String,
    bound: Duration,
    timeout: Duration,
    max_tokens: usize,
    max_questions: usize,
}

/// Heartbeats come each second: what is left is for the network.
const BOUND: Duration = Duration::from_secs(3);
const SHORTEST_BOUND: Duration = Duration::from_millis(1500);
const LONGEST_BOUND: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(2);
const MAX_TOKENS: usize = 100_000;
const MAX_QUESTIONS: usize = 256;
/// So long a use may be unknown to the server.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Why a validator can't be built.
///
/// ```
/// use jeton_guard::remote::{BuildError, RemoteValidator};
///
/// let error = RemoteValidator::builder("auth.example", "orders", "secret").build().unwrap_err();
/// assert!(matches!(error, BuildError::Url(_)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The URL is not one of a server, with `http` or `https`.
    Url(String),
    /// The bound is below 1.5 seconds or above a minute, or there is no time for an answer.
    Time,
    /// Not within a runtime of tokio, which runs the stream.
    NoRuntime,
    /// TLS can't be set up.
    Tls(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "not the http or https URL of a server: {url}"),
            Self::Time => f.write_str("the bound is 1.5 seconds to a minute, and the timeout more than nothing"),
            Self::NoRuntime => f.write_str("a remote validator is built within a runtime of tokio"),
            Self::Tls(_) => f.write_str("the HTTP client can't be set up"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Tls(error) => Some(&**error),
            Self::Url(_) | Self::Time | Self::NoRuntime => None,
        }
    }
}

impl RemoteValidator {
    /// Asks the server at `url` (the issuer's, for instance `https://auth.example`) as a client that is registered there to
    /// introspect.
    pub fn builder(
        url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> RemoteBuilder {
        RemoteBuilder {
            url: url.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            bound: BOUND,
            timeout: TIMEOUT,
            max_tokens: MAX_TOKENS,
            max_questions: MAX_QUESTIONS,
        }
    }

    /// Whether the stream is relied upon now, so that what is remembered is used. For metrics: where it is false for long, each
    /// request costs a question.
    pub fn is_following(&self) -> bool {
        self.memory.is_trusted(clock::now())
    }

    /// How many tokens are remembered.
    pub fn remembered(&self) -> usize {
        self.memory.len()
    }
}

impl RemoteBuilder {
    /// How long after a revocation its token may still be accepted, at most: 1.5 seconds to a minute; 3 seconds if it is not
    /// set. A longer one bridges longer disturbances of the network without questions.
    #[must_use]
    pub fn bound(self, bound: Duration) -> Self {
        Self { bound, ..self }
    }

    /// How long an answer about a token may take; 2 seconds if it is not set. Then the request is refused with 503.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How many tokens are remembered, of some kilobytes each; 100 000 if it is not set. With 0 each token is asked about each time
    /// and the revocations are not followed: then the bound is zero.
    #[must_use]
    pub fn max_tokens(self, max_tokens: usize) -> Self {
        Self { max_tokens, ..self }
    }

    /// How many questions are on their way at the same time; 256 if it is not set. Further ones wait, within the timeout.
    #[must_use]
    pub fn max_questions(self, max_questions: usize) -> Self {
        Self { max_questions, ..self }
    }

    /// Begins to follow the revocations.
    ///
    /// # Errors
    ///
    /// [`BuildError`]. That the server is not there is none: until it is, requests are refused with 503.
    pub fn build(self) -> Result<RemoteValidator, BuildError> {
        let url: Url = self.url.parse().ok().ok_or_else(|| BuildError::Url(self.url.clone()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() {
            return Err(BuildError::Url(self.url));
        }
        if self.bound < SHORTEST_BOUND || self.bound > LONGEST_BOUND || self.timeout.is_zero() {
            return Err(BuildError::Time);
        }
        let runtime = Handle::try_current().ok().ok_or(BuildError::NoRuntime)?;
        // The secret goes to this server and to no other.
        let http =
            reqwest::Client::builder().no_proxy().redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT).build();
        let http = http.map_err(|error| BuildError::Tls(error.into()))?;
        let server = Arc::new(Server::new(http, &url, &self.client_id, &self.client_secret));
        let memory = Arc::new(Memory::new(self.bound, MAX_AGE, self.max_tokens));
        let stream = Stream { server: Arc::clone(&server), memory: Arc::clone(&memory), position: None };
        let follows = self.max_tokens > 0;
        let stream = follows.then(|| Arc::new(Following(runtime.spawn(stream.run()).abort_handle())));
        // Without a memory nothing is shared either: then there is no bound to speak of.
        let shared_for = if follows { self.bound } else { Duration::ZERO };
        let asking = Asking::new(server, Arc::clone(&memory), self.timeout, shared_for, self.max_questions);
        Ok(RemoteValidator { asking, memory, _stream: stream })
    }
}

impl Validator for RemoteValidator {
    type Token = RemoteToken;
    type Future = RemoteFuture;

    fn validate(&self, token: &str) -> RemoteFuture {
        // The clock before the memory, always.
        let now = clock::now();
        let digest = Sha256::digest(token.as_bytes()).into();
        RemoteFuture(match self.memory.find(now, &digest) {
            Some(remembered) => State::Known(Some(RemoteToken(remembered))),
            None => State::Asking(Box::pin(self.asking.clone().ask(now, digest, token.to_owned()))),
        })
    }

    fn admit(&self, token: &RemoteToken, _: &Requirement) -> Result<Limits, Refusal> {
        // Counted by the server, which has said so.
        match token.retry_after {
            Some(retry_after_s) => Err(Refusal::LimitExceeded { retry_after_s, limits: Limits::none() }),
            None => Ok(Limits::none()),
        }
    }
}

impl fmt::Debug for RemoteValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteValidator").field("server", self.asking.server()).finish_non_exhaustive()
    }
}

impl fmt::Debug for RemoteBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteBuilder")
            .field("url", &self.url)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A good token, as the server has described it. Cloning is cheap. What changes from second to second, as `expires_in`, is of
/// when it was asked about.
///
/// ```
/// use jeton_guard::remote::RemoteToken;
///
/// /// What a handler makes of it: the answer's fields are there.
/// fn owner(token: &RemoteToken) -> &str {
///     token.sub.as_deref().unwrap_or_default()
/// }
/// # let _ = owner;
/// ```
#[derive(Clone, Debug)]
pub struct RemoteToken(Arc<Introspection>);

impl Deref for RemoteToken {
    type Target = Introspection;

    fn deref(&self) -> &Introspection {
        &self.0
    }
}

impl TokenView for RemoteToken {
    fn has_scope(&self, scope: &str) -> bool {
        self.0.has_scope(scope)
    }

    fn covers_api(&self, api: &str) -> bool {
        self.0.covers_api(api)
    }

    fn workspace(&self) -> &str {
        self.0.workspace()
    }
}

/// The decision on one token; ready at once where it is remembered.
///
/// ```
/// use jeton_guard::Validator;
/// use jeton_guard::remote::{RemoteFuture, RemoteValidator};
///
/// /// What holds one needs no box.
/// struct Pending(RemoteFuture);
///
/// fn begin(jeton: &RemoteValidator, token: &str) -> Pending {
///     Pending(jeton.validate(token))
/// }
/// # let _ = begin;
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct RemoteFuture(State);

enum State {
    Known(Option<RemoteToken>),
    Asking(Pin<Box<dyn Future<Output = Outcome<RemoteToken>> + Send>>),
}

impl Future for RemoteFuture {
    type Output = Outcome<RemoteToken>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Known(token) => Poll::Ready(Outcome::Active(token.take().expect("polled after completion"))),
            State::Asking(asking) => asking.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for RemoteFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteFuture").finish_non_exhaustive()
    }
}

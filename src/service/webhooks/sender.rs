//! Sends one signed message to a receiver: to an address that was looked at, once, within a time, and what comes back is only a status.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use url::Host;

use crate::domain::clock::Timestamp;
use crate::domain::destination::Destinations;
use crate::domain::webhook::{WebhookSecret, WebhookUrl};

/// Sends messages. One for the process.
#[derive(Debug)]
pub struct Sender {
    rules: Arc<Destinations>,
    encrypted: reqwest::Client,
    unencrypted: reqwest::Client,
    /// After failing for so long without a break a webhook is switched off.
    pub give_up_after: Duration,
    pub figures: DeliveryFigures,
}

/// What has come of deliveries since the start.
#[derive(Debug)]
pub struct DeliveryFigures {
    pub delivered: AtomicU64,
    pub failed: AtomicU64,
    pub switched_off: AtomicU64,
    /// When the oldest event happened that waits for its delivery, in ms; 0 for none.
    oldest_ms: AtomicI64,
}

/// A message to a receiver.
#[derive(Debug)]
pub(super) struct Message<'m> {
    pub(super) url: &'m WebhookUrl,
    pub(super) secrets: &'m [WebhookSecret],
    /// The same each time that it is sent.
    pub(super) id: String,
    pub(super) sent_at: Timestamp,
    pub(super) body: Vec<u8>,
}

/// Why a message was not taken. The text is for the administrator of the workspace.
#[derive(Debug, thiserror::Error)]
pub enum SendFailure {
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    #[error("the receiver answered with status {0}")]
    Status(u16),
    #[error("the receiver did not answer within {} s", TIMEOUT.as_secs())]
    TimedOut,
    #[error("the name of the receiver can't be resolved")]
    Unresolved,
    #[error("no connection to the receiver: {0}")]
    Unreachable(String),
    #[error("the connection to the receiver broke: {0}")]
    Broken(String),
    #[error("the secret was sealed under a master key that is gone; rotate it")]
    NoSecret,
}

/// A place that messages are not sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("leads to an address that is not public; an operator can name networks in webhooks.allowed_networks")]
    Address,
    #[error("must be https; http is for what an operator allows (webhooks.allow_http, webhooks.allowed_networks)")]
    Unencrypted,
}

/// For all of it: connecting, sending, and the answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What is read of an answer's body, so that the connection can be used again; nothing looks at it.
const MAX_DISCARDED: usize = 16 * 1024;
/// What the text of an error may be long.
const MAX_ERROR_CHARS: usize = 200;

impl Sender {
    /// # Errors
    /// When the machine has no usable TLS.
    pub fn new(rules: Destinations, give_up_after: Duration) -> Result<Self, reqwest::Error> {
        let rules = Arc::new(rules);
        let client = |encrypted| {
            reqwest::Client::builder()
                .dns_resolver(Resolver { rules: Arc::clone(&rules), encrypted })
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .timeout(TIMEOUT)
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_max_idle_per_host(1)
                .user_agent(concat!("jeton/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        let (encrypted, unencrypted) = (client(true)?, client(false)?);
        Ok(Self { rules, encrypted, unencrypted, give_up_after, figures: DeliveryFigures::default() })
    }

    /// What can be said without resolving a name.
    pub(super) fn may_send_to(&self, url: &WebhookUrl) -> Result<(), Forbidden> {
        let address = match url.url().host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
            Some(Host::Domain(_)) | None => None,
        };
        match address {
            Some(address) => self.rules.check(address, url.is_encrypted()),
            None if url.is_encrypted() || self.rules.know_unencrypted() => Ok(()),
            None => Err(Forbidden::Unencrypted),
        }
    }

    /// Returns once the receiver has answered with success.
    pub(super) async fn send(&self, message: Message<'_>) -> Result<u16, SendFailure> {
        // The client does not ask its resolver for what is an address already.
        self.may_send_to(message.url)?;
        let client = if message.url.is_encrypted() { &self.encrypted } else { &self.unencrypted };
        let sent_at = message.sent_at.seconds();
        let signatures: Vec<String> =
            message.secrets.iter().map(|secret| secret.sign(&message.id, sent_at, &message.body)).collect();
        let request = client
            .post(message.url.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", sent_at)
            .header("webhook-signature", signatures.join(" "))
            .body(message.body);
        let mut response = request.send().await.map_err(|error| failure(&error.without_url()))?;
        let status = response.status();
        let mut discarded = 0;
        while discarded < MAX_DISCARDED
            && let Ok(Some(chunk)) = response.chunk().await
        {
            discarded += chunk.len();
        }
        if status.is_success() { Ok(status.as_u16()) } else { Err(SendFailure::Status(status.as_u16())) }
    }
}

fn failure(error: &reqwest::Error) -> SendFailure {
    let mut innermost = error.to_string();
    let mut cause = error.source();
    while let Some(own) = cause {
        if let Some(forbidden) = own.downcast_ref::<Forbidden>() {
            return (*forbidden).into();
        }
        if own.is::<NotResolved>() {
            return SendFailure::Unresolved;
        }
        innermost = own.to_string();
        cause = own.source();
    }
    let text: String = innermost.chars().filter(|c| !c.is_control()).take(MAX_ERROR_CHARS).collect();
    match error {
        error if error.is_timeout() => SendFailure::TimedOut,
        error if error.is_connect() => SendFailure::Unreachable(text),
        _ => SendFailure::Broken(text),
    }
}

/// Resolves names to addresses that may be connected to; the connection is made to one of exactly these.
struct Resolver {
    rules: Arc<Destinations>,
    encrypted: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the name can't be resolved")]
struct NotResolved;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, encrypted) = (Arc::clone(&self.rules), self.encrypted);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<SocketAddr> = found.ok().ok_or(NotResolved)?.collect();
            // One that leads inside is a mistake or an attack, whatever else there is.
            for address in &found {
                rules.check(address.ip(), encrypted)?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

impl Destinations {
    fn check(&self, address: IpAddr, encrypted: bool) -> Result<(), Forbidden> {
        match (self.allow(address, encrypted), self.allow(address, true)) {
            (true, _) => Ok(()),
            (false, true) => Err(Forbidden::Unencrypted),
            (false, false) => Err(Forbidden::Address),
        }
    }
}

impl Default for DeliveryFigures {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self { delivered: zero(), failed: zero(), switched_off: zero(), oldest_ms: AtomicI64::new(0) }
    }
}

impl DeliveryFigures {
    pub(super) fn note_oldest(&self, oldest: Option<Timestamp>) {
        self.oldest_ms.store(oldest.map_or(0, Timestamp::ms), Ordering::Relaxed);
    }

    /// How long the oldest event has been waiting.
    #[must_use]
    pub fn oldest_age(&self, now: Timestamp) -> Duration {
        match self.oldest_ms.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            oldest => Duration::from_millis(now.ms().saturating_sub(oldest).max(0).cast_unsigned()),
        }
    }
}

//! The limits of requests and connections. They are exchanged as a whole while the service runs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

/// What requests and connections of both listeners are limited to.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// A request that takes longer is answered with 503.
    pub request_timeout: Duration,
    /// Larger bodies are refused with 413.
    pub max_body_bytes: usize,
    /// How long requests in flight may take at the end.
    pub drain_timeout: Duration,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

/// The limits in force. Cloning gives another handle on the same.
#[derive(Clone, Debug)]
pub struct LiveLimits(Arc<ArcSwap<Limits>>);

impl LiveLimits {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(limits)))
    }

    /// From now on these.
    pub fn set(&self, limits: Limits) {
        self.0.store(Arc::new(limits));
    }

    // Each reads what it needs and lets go: nothing is held over a wait.

    pub(crate) fn request_timeout(&self) -> Duration {
        self.0.load().request_timeout
    }

    pub(crate) fn max_body_bytes(&self) -> usize {
        self.0.load().max_body_bytes
    }

    pub(crate) fn trusts_proxy(&self, peer: IpAddr) -> bool {
        self.0.load().trusted_proxies.contains(&peer)
    }

    pub(crate) fn header_timeout(&self) -> Duration {
        self.0.load().header_timeout
    }

    pub(crate) fn drain_timeout(&self) -> Duration {
        self.0.load().drain_timeout
    }
}

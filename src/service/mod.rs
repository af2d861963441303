//! Floor 3: the use cases. No HTTP types, no SQL.

pub mod apis;
pub mod audit;
pub mod audit_list;
pub mod bootstrap;
pub mod caller;
pub mod catalog;
mod changes;
pub mod client_auth;
pub mod client_edit;
mod client_fields;
pub mod clients;
mod context;
pub mod detail;
pub mod edit;
pub mod error;
pub mod events;
pub mod expiry_notices;
pub mod explain;
pub mod follow;
pub mod form_use;
pub mod idempotency;
pub mod introspect;
pub mod issue;
pub mod leaks;
pub mod legacy;
pub mod live_token;
pub mod maintenance;
pub mod me;
pub mod oidc;
pub mod overview;
pub mod own_password;
pub mod password;
pub mod plans;
pub mod policies;
pub mod policy_apply;
mod policy_book;
pub mod rate_limit;
pub mod reach;
pub mod refusals;
pub mod restore;
pub mod revocation_status;
pub mod revoke;
pub mod session;
pub mod sign_in;
pub mod throttle;
pub mod token;
pub mod tokens;
pub mod user_edit;
pub mod users;
pub mod validate;
pub mod webhooks;
pub mod workspaces;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub use context::RequestContext;
use live_token::LiveToken;
use password::Passwords;
pub use policy_book::PinnedPolicies;
use rate_limit::RateLimits;

use crate::cluster::cache::ValidationCache;
use crate::cluster::feed::Feed;
use crate::cluster::figures::FigureRecorder;
use crate::cluster::history::History;
use crate::cluster::membership::Membership;
use crate::cluster::refusals::RefusalRecorder;
use crate::cluster::usage::UsageRecorder;
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;
use crate::domain::policy::Policies;
use crate::domain::token_string::TokenCodec;
use crate::store::{Retention, Store};
use sign_in::ConsoleSettings;
use throttle::Throttle;

/// What the use cases are configured with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `iss` of every token: the public URL, without a slash at its end.
    pub issuer: String,
    /// The policy of grants that the token endpoint opens.
    pub session_policy: String,
    /// The policy of the first administrator's key.
    pub bootstrap_policy: String,
    /// How long a refresh may be repeated.
    pub rotation_window: Duration,
    /// Each validation from memory is confirmed by a read of the log's head.
    pub strict: bool,
    /// The database fails over: what is read from it counts only while a lease is running.
    pub reads_need_lease: bool,
    pub retention: Retention,
    pub console: ConsoleSettings,
}

/// Everything that the use cases work with. Cloning is cheap.
#[derive(Clone)]
pub struct Service(Arc<Parts>);

/// The parts of a [`Service`].
#[derive(Debug)]
pub struct Parts {
    pub store: Store,
    pub cache: Arc<ValidationCache<LiveToken>>,
    pub history: Arc<History>,
    /// `None` where this process is the only one that revokes.
    pub member: Option<Arc<Membership>>,
    /// For those who follow revocations from outside.
    pub feed: Arc<Feed>,
    pub codec: TokenCodec,
    pub policies: Policies,
    pub pinned_policies: PinnedPolicies,
    pub clock: Clock,
    pub entropy: Entropy,
    pub usage: UsageRecorder,
    pub rate_limits: RateLimits,
    pub refusals: RefusalRecorder,
    pub figures: FigureRecorder,
    pub census: overview::Census,
    pub passwords: Passwords,
    pub throttle: Throttle,
    pub leaks: leaks::Reports,
    /// The provider that people sign in by, if there is one.
    pub oidc: Option<oidc::Provider>,
    pub legacy: legacy::Desk,
    pub cache_max_age: CacheMaxAge,
    /// Sends events to those who registered for them.
    pub webhooks: webhooks::sender::Sender,
    pub settings: Settings,
}

/// Seconds for which others may keep an answer about a token. It can be taken back while the service runs.
#[derive(Debug)]
pub struct CacheMaxAge(AtomicU32);

impl CacheMaxAge {
    #[must_use]
    pub const fn new(seconds: u32) -> Self {
        Self(AtomicU32::new(seconds))
    }

    pub fn set(&self, seconds: u32) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    pub fn seconds(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Service {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for Service {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("store", &self.store).field("settings", &self.settings).finish_non_exhaustive()
    }
}

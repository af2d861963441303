//! From a configuration to the use cases.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;

use super::files;
use super::record::Record;
use crate::cluster::cache::ValidationCache;
use crate::cluster::feed::Feed;
use crate::cluster::figures::FigureRecorder;
use crate::cluster::fingerprint;
use crate::cluster::history::History;
use crate::cluster::lease::Trust;
use crate::cluster::membership::Membership;
use crate::cluster::refusals::RefusalRecorder;
use crate::cluster::usage::UsageRecorder;
use crate::config::{Config, ValidationMode};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::destination::Destinations;
use crate::domain::entropy::Entropy;
use crate::domain::keys::{KeyRing, MasterKey};
use crate::domain::policy::Policies;
use crate::domain::secret::Secret;
use crate::domain::token_string::TokenCodec;
use crate::service::leaks::Reports;
use crate::service::legacy::Desk;
use crate::service::live_token::LiveToken;
use crate::service::oidc::{OidcSettings, Provider};
use crate::service::overview::Census;
use crate::service::password::Passwords;
use crate::service::rate_limit::RateLimits;
use crate::service::sign_in::ConsoleSettings;
use crate::service::throttle::Throttle;
use crate::service::webhooks::sender::Sender;
use crate::service::{CacheMaxAge, Parts, PinnedPolicies, Service, Settings};
use crate::store::claim::Claim;
use crate::store::revoke::Applied;
use crate::store::{DatabaseOptions, Retention, RevocationSink, Store, StoreError};

/// What differs between the real process and a test.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    pub clock: Clock,
    pub entropy: Entropy,
    pub purpose: Purpose,
}

/// What the parts are put together for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To serve, alone or beside other nodes.
    #[default]
    Serve,
    /// To say of a database that it is a restored one: while nobody serves from it, and however far it has gone back.
    Restore,
}

/// Passes revocations on to the cache, which is made after the store because it starts at the store's revision.
#[derive(Default)]
struct ToCache(OnceLock<Arc<ValidationCache<LiveToken>>>);

impl RevocationSink for ToCache {
    fn committed(&self, revocations: &[Applied]) {
        if let Some(cache) = self.0.get() {
            cache.committed(revocations);
        }
    }

    fn outcome_unknown(&self) {
        if let Some(cache) = self.0.get() {
            cache.outcome_unknown();
        }
    }
}

/// Opens the database of a configuration.
///
/// # Errors
/// When it can't be reached or locked.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    open(config, Arc::new(ToCache::default())).await
}

pub(crate) fn database_options(config: &Config) -> DatabaseOptions {
    DatabaseOptions {
        url: config.database_url(),
        connections: config.database.connections,
        acquire_timeout: config.database.acquire_timeout.as_duration(),
        doorbell: config.validation.doorbell,
        alone: config.validation.single_node,
        ha: config.database.ha,
    }
}

async fn open(config: &Config, sink: Arc<dyn RevocationSink>) -> anyhow::Result<Store> {
    Store::open(&database_options(config), sink).await.context("the database can't be opened")
}

/// Opens the database, brings it up to date and makes the use cases.
///
/// # Errors
/// Whatever keeps the service from starting, in words for the operator.
pub async fn assemble(config: &Config, assembly: Assembly) -> anyhow::Result<Service> {
    let Assembly { clock, entropy, purpose } = assembly;
    files::ensure_directory(&config.data_dir)
        .with_context(|| format!("the data directory {} can't be made", config.data_dir.display()))?;
    let policies = Policies::new(&config.policies)?;
    let sink = Arc::new(ToCache::default());
    let store = open(config, Arc::clone(&sink) as Arc<dyn RevocationSink>).await?;
    if config.database.migrate {
        store.migrate().await.context("the schema can't be brought up to date")?;
    } else {
        store.require_schema().await.context("the schema can't be served from")?;
    }
    let alone = config.validation.single_node || purpose == Purpose::Restore;
    claim(alone, purpose, &store).await?;
    let head = store.head().await?;
    if purpose == Purpose::Serve {
        Record::of(&config.data_dir)?.allows(head)?;
    }
    let keys = key_ring(config, &entropy, &store).await?;
    check_keys(&keys, &store, clock.now()).await?;
    let lease = config.validation.lease.as_duration();
    let fingerprint = fingerprint::of(lease, &keys);
    let codec = TokenCodec::new(&config.tokens.brand, keys)?;
    store.keep_policies(policies.iter().map(|policy| (**policy).clone()).collect(), clock.now()).await?;
    store.ensure_partitions(clock.now(), policies.horizon().as_duration()).await?;
    let sole = store.backend_name() == "sqlite" || alone;
    let trust = match config.validation.mode {
        _ if sole => Trust::Sole,
        ValidationMode::Leased => Trust::Leased,
        ValidationMode::Strict => Trust::Confirmed,
    };
    let cache = Arc::new(ValidationCache::new(config.validation.cache_bytes, head, trust));
    sink.0.get_or_init(|| Arc::clone(&cache));
    if sole {
        // Nobody else knows of it; a store that was restored meanwhile is another one.
        cache.continue_as(&format!("{:032x}", u128::from_be_bytes(entropy.secret())));
    }
    let member = if sole {
        None
    } else {
        let doorbell = config.validation.doorbell;
        let member = Membership::new(node_name(config), lease, doorbell, fingerprint, &entropy);
        member.join(&store, &clock, &entropy).await?;
        Some(Arc::new(member))
    };
    let settings = Settings {
        issuer: config.issuer(),
        session_policy: config.tokens.session_policy.clone(),
        bootstrap_policy: config.tokens.bootstrap_policy.clone(),
        rotation_window: config.tokens.rotation_window.as_duration(),
        strict: trust == Trust::Confirmed,
        reads_need_lease: config.database.ha && !sole,
        retention: Retention {
            tokens: config.retention.tokens.as_duration(),
            grants: config.retention.grants.as_duration(),
            audit: config.retention.audit.as_duration(),
            refusals: config.retention.refusals.as_duration(),
        },
        console: ConsoleSettings {
            idle: config.console.session_idle.as_duration(),
            end: config.console.session_end.as_duration(),
            passwords: config.console.password_sign_in,
        },
    };
    Ok(Service::new(Parts {
        store,
        cache,
        history: Arc::new(History::new(head)),
        member,
        feed: Arc::new(Feed::new(config.validation.max_streams)),
        codec,
        policies,
        pinned_policies: PinnedPolicies::default(),
        rate_limits: RateLimits::new(clock.clone()),
        clock,
        entropy,
        usage: UsageRecorder::default(),
        refusals: RefusalRecorder::default(),
        figures: FigureRecorder::default(),
        census: Census::default(),
        passwords: Passwords::new(),
        throttle: Throttle::default(),
        leaks: Reports::default(),
        oidc: provider(config)?,
        legacy: Desk::default(),
        cache_max_age: CacheMaxAge::new(config.validation.cache_max_age),
        webhooks: sender(config)?,
        settings,
    }))
}

/// What events are sent with.
fn sender(config: &Config) -> anyhow::Result<Sender> {
    let rules =
        Destinations { allowed: config.webhooks.allowed_networks.clone(), unencrypted: config.webhooks.allow_http };
    Sender::new(rules, config.webhooks.give_up_after.as_duration()).context("webhooks: outgoing TLS can't be set up")
}

/// The provider that people sign in by, if there is one. Nothing is asked of it yet: it may be away at the start.
fn provider(config: &Config) -> anyhow::Result<Option<Provider>> {
    let oidc = &config.console.oidc;
    if oidc.issuer.is_empty() {
        return Ok(None);
    }
    let secret = Some(oidc.client_secret.clone()).filter(|secret| !secret.is_empty());
    let settings = OidcSettings {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret: secret.map(Secret::new),
        scopes: oidc.scopes.clone(),
        label: oidc.label.clone(),
        redirect_uri: format!("{}/console/sign-in/oidc/callback", config.issuer()),
        workspace: oidc.workspace.clone(),
        match_by: oidc.match_by,
        create_users: oidc.create_users,
        groups_claim: oidc.groups_claim.clone(),
        admin_group: oidc.admin_group.clone(),
    };
    Provider::new(settings).map(Some).context("console.oidc: outgoing TLS can't be set up")
}

/// What people call this node.
fn node_name(config: &Config) -> String {
    match config.validation.node_name.as_str() {
        "" => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        name => name.to_owned(),
    }
}

/// A process that validates from memory alone, and one whose revocations it would not see, must not meet.
async fn claim(alone: bool, purpose: Purpose, store: &Store) -> anyhow::Result<()> {
    let claim = if alone { Claim::Alone } else { Claim::Together };
    match store.claim(claim).await {
        Err(StoreError::Contended(_)) => anyhow::bail!(
            "{}",
            match (purpose, claim) {
                (Purpose::Restore, _) => "a process serves from this database; stop all nodes first",
                (Purpose::Serve, Claim::Alone) => {
                    "validation.single_node is set, but another process serves from this database; stop it, or unset \
                     validation.single_node for all"
                }
                (Purpose::Serve, Claim::Together) => {
                    "another process serves from this database with validation.single_node set; stop it, or unset \
                     validation.single_node there"
                }
            }
        ),
        claimed => claimed.context("the database can't be claimed"),
    }
}

/// The configured keys. One is generated only for a store that is empty: for any other it would be the wrong one.
async fn key_ring(config: &Config, entropy: &Entropy, store: &Store) -> anyhow::Result<KeyRing> {
    let current = if config.keys.master.is_empty() {
        let may_generate = store.is_empty().await?;
        let found = files::master_key(&config.data_dir, may_generate.then_some(entropy));
        let found = found.with_context(|| format!("the master key in {} can't be used", config.data_dir.display()))?;
        found.with_context(|| {
            format!(
                "the store was set up with a master key, and there is none in {}; give this process the same one as the \
                 others (JETON__KEYS__MASTER_FILE)",
                config.data_dir.display()
            )
        })?
    } else {
        MasterKey::parse(&config.keys.master).context("keys.master")?
    };
    let previous = match config.keys.previous.as_str() {
        "" => None,
        text => Some(MasterKey::parse(text).context("keys.previous")?),
    };
    Ok(KeyRing::new(&current, previous.as_ref()))
}

/// Under another key every token would look forged: that must be an error here, not a 401 there.
async fn check_keys(keys: &KeyRing, store: &Store, now: Timestamp) -> anyhow::Result<()> {
    let known = store.list_key_versions().await?;
    if !known.is_empty() && !keys.live().any(|keys| known.contains(&keys.version())) {
        anyhow::bail!(
            "the store was set up under another master key; with keys.master as configured every token and client \
             secret in it would be refused"
        );
    }
    // A key that follows one that is known: the rotation begins here.
    if !known.is_empty() && !known.contains(&keys.current().version()) {
        store.insert_key_version(keys.current().version(), now).await?;
    }
    Ok(())
}

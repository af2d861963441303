//! Runs the service: both listeners and the background work, until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use super::inherited::Inherited;
use super::listener::{Listener, told};
use super::places::Places;
use super::record::Record;
use super::tls::Tls;
use crate::cluster::follower::Follower;
use crate::cluster::probe::Probe;
use crate::cluster::pump::Pump;
use crate::config::{self, Config};
use crate::http::metrics::Metrics;
use crate::http::{App, AppState, Limits, LiveLimits};
use crate::service::Service;
use crate::service::live_token::LiveToken;
use crate::service::webhooks::Courier;

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    pub public: SocketAddr,
    pub management: SocketAddr,
    service: Service,
    metrics: Arc<Metrics>,
    stop: watch::Sender<bool>,
    /// Told last: what is still being answered may be answered from memory.
    stop_following: watch::Sender<bool>,
    following: JoinSet<()>,
    connections: TaskTracker,
    tasks: JoinSet<()>,
    limits: LiveLimits,
    places: Arc<Places>,
    record: Arc<Record>,
    outdated: watch::Receiver<Option<String>>,
    tls: [Option<Arc<Tls>>; 2],
}

/// Uses wait no longer than this before they are written.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Sums are for people: a few seconds of them may be lost.
const COUNT_EVERY: Duration = Duration::from_secs(10);
/// A schema that goes beyond this version was meant to find it stopped.
const LOOK_AT_SCHEMA_EVERY: Duration = Duration::from_secs(5);
/// Expired rows and partitions are looked for this often.
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// Operators and probes, not users.
const MANAGEMENT_CONNECTIONS: u32 = 256;

/// The sockets of both listeners.
#[derive(Debug)]
pub struct Sockets {
    public: Listener,
    management: Listener,
    limits: LiveLimits,
}

/// Binds both listeners, but for those that are inherited. Where the configuration leaves a port to the operating system,
/// or the address to the service manager, it is told which one it got, because the issuer may be made of it.
///
/// # Errors
/// When an address can't be bound, or the certificate of a listener can't be used.
pub fn bind(config: &mut Config, inherited: Inherited) -> anyhow::Result<Sockets> {
    let limits = LiveLimits::new(limits(config));
    let bind = |name, address: &mut SocketAddr, socket, connections, tls: &config::Tls| {
        let tls = tls.is_on().then(|| Tls::new(name, tls)).transpose()?;
        let bound = match socket {
            Some(socket) => Listener::take(socket, connections, limits.clone()),
            None => Listener::bind(*address, connections, limits.clone()),
        };
        let bound = bound.with_context(|| format!("can't listen on {address}"))?;
        *address = bound.address()?;
        anyhow::Ok(bound.with_tls(tls))
    };
    let (http, management) = (&mut config.http, &mut config.management);
    let public = bind("public", &mut http.listen, inherited.http, http.max_connections, &http.tls)?;
    let management =
        bind("management", &mut management.listen, inherited.management, MANAGEMENT_CONNECTIONS, &management.tls)?;
    if config.public_url.is_empty() && !config.http.listen.ip().is_loopback() {
        anyhow::bail!(
            "the service manager listens on {}, which others can reach, but public_url is not set",
            config.http.listen
        );
    }
    Ok(Sockets { public, management, limits })
}

/// Starts to serve.
///
/// # Errors
/// When the data directory can't be read.
pub fn start(config: &Config, sockets: Sockets, service: Service) -> anyhow::Result<Running> {
    let record = Arc::new(Record::of(&config.data_dir)?);
    let Sockets { public, management, limits } = sockets;
    let metrics = Arc::new(Metrics::default());
    let tls = [public.tls().cloned(), management.tls().cloned()];
    metrics.tls(tls.iter().flatten().map(|tls| Arc::clone(&tls.figures)).collect());
    for tls in tls.iter().flatten() {
        tls.certificates.report(service.clock.now());
    }
    let places = Arc::clone(public.places());
    let state = AppState::new(service.clone(), Arc::clone(&metrics), limits.clone());
    let (stop, stopped) = watch::channel(false);
    let (stop_following, following) = follow(&service);
    let connections = TaskTracker::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(public.serve(
        App::public(state.clone()),
        stopped.clone(),
        connections.clone(),
        Arc::clone(&metrics.connections),
    ));
    tasks.spawn(management.serve(App::management(state), stopped.clone(), TaskTracker::new(), Arc::default()));
    tasks.spawn(pump(&service).run(stopped.clone()));
    tasks.spawn(repeat(FLUSH_EVERY, stopped.clone(), service.clone(), async |service| service.flush_uses().await));
    tasks.spawn(repeat(FLUSH_EVERY, stopped.clone(), service.clone(), async |service| service.flush_refusals().await));
    tasks.spawn(repeat(FLUSH_EVERY, stopped.clone(), service.clone(), async |service| {
        service.settle_unknown_outcomes().await
    }));
    tasks.spawn(repeat(FLUSH_EVERY, stopped.clone(), service.clone(), async |service| service.flush_upgrades().await));
    tasks.spawn(repeat(FLUSH_EVERY, stopped.clone(), service.clone(), {
        let record = Arc::clone(&record);
        async move |service| record.keep(service.newest_revision()).await
    }));
    tasks.spawn(Courier::new(service.clone(), stopped.clone()).run());
    tasks
        .spawn(repeat(COUNT_EVERY, stopped.clone(), service.clone(), async |service| service.watch_deliveries().await));
    tasks.spawn(repeat(COUNT_EVERY, stopped.clone(), service.clone(), async |service| service.flush_figures().await));
    let (schema, outdated) = watch::channel(None);
    tasks.spawn(repeat(LOOK_AT_SCHEMA_EVERY, stopped.clone(), service.clone(), async move |service| {
        let why = service.store.beyond_this_version().await?;
        schema.send_if_modified(|known| why.is_some() && std::mem::replace(known, why).is_none());
        Ok(())
    }));
    tasks.spawn(repeat(TIDY_EVERY, stopped.clone(), service.clone(), async |service| service.take_census().await));
    tasks.spawn(repeat(TIDY_EVERY, stopped.clone(), service.clone(), async |service| {
        service.give_expiry_notices().await
    }));
    tasks.spawn(repeat(TIDY_EVERY, stopped, service.clone(), async |service| service.tidy().await.map(drop)));
    Ok(Running {
        public: config.http.listen,
        management: config.management.listen,
        service,
        metrics,
        stop,
        stop_following,
        following,
        connections,
        tasks,
        limits,
        places,
        record,
        outdated,
        tls,
    })
}

fn limits(config: &Config) -> Limits {
    let http = &config.http;
    Limits {
        header_timeout: http.header_timeout.as_duration(),
        request_timeout: http.request_timeout.as_duration(),
        max_body_bytes: http.max_body_bytes as usize,
        drain_timeout: http.drain_timeout.as_duration(),
        trusted_proxies: http.trusted_proxies.clone(),
    }
}

/// Reads the log for those who follow it from outside.
fn pump(service: &Service) -> Pump<LiveToken> {
    Pump {
        feed: Arc::clone(&service.feed),
        cache: Arc::clone(&service.cache),
        store: service.store.clone(),
        clock: service.clock.clone(),
        confirms: service.member.is_none() || service.settings.strict,
    }
}

/// Follows the revocations of other nodes, where there can be any.
fn follow(service: &Service) -> (watch::Sender<bool>, JoinSet<()>) {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    if let Some(member) = &service.member {
        let follower = Follower {
            member: Arc::clone(member),
            cache: Arc::clone(&service.cache),
            history: Arc::clone(&service.history),
            store: service.store.clone(),
            clock: service.clock.clone(),
            entropy: service.entropy.clone(),
        };
        tasks.spawn(follower.run(stopped.clone()));
        let probe = Probe {
            member: Arc::clone(member),
            cache: Arc::clone(&service.cache),
            store: service.store.clone(),
            clock: service.clock.clone(),
        };
        tasks.spawn(probe.run(stopped));
    }
    (stop, tasks)
}

impl Running {
    /// The use cases that are being served.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Takes what can change in a running service ([`config::LIVE_KEYS`], but for the log's). A certificate that can't be
    /// used leaves the one that was shown, and is told in the log.
    pub fn reload(&self, config: &Config) {
        self.limits.set(limits(config));
        self.places.set_most(config.http.max_connections);
        self.service.cache.set_capacity(config.validation.cache_bytes);
        self.service.cache_max_age.set(config.validation.cache_max_age);
        self.service.feed.set_most(config.validation.max_streams);
        for (tls, config) in self.tls.iter().zip([&config.http.tls, &config.management.tls]) {
            if let Some(tls) = tls.as_ref().filter(|_| config.is_on()) {
                tls.reload(config, self.service.clock.now());
            }
        }
    }

    /// Not ready, no new connections, requests in flight finish, what waits in memory is written.
    pub async fn shut_down(mut self) {
        self.metrics.drain();
        self.stop.send_replace(true);
        self.connections.close();
        if tokio::time::timeout(self.limits.drain_timeout(), self.connections.wait()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        while self.tasks.join_next().await.is_some() {}
        self.stop_following.send_replace(true);
        while self.following.join_next().await.is_some() {}
        if let Err(error) = self.service.flush_uses().await {
            tracing::warn!(error = ?error, "the last uses could not be written");
        }
        if let Err(error) = self.service.flush_upgrades().await {
            tracing::warn!(error = ?error, "imported tokens will be upgraded at their next use");
        }
        if let Err(error) = self.service.flush_refusals().await {
            tracing::warn!(error = ?error, "the last refusals could not be written");
        }
        if let Err(error) = self.service.flush_figures().await {
            tracing::warn!(error = ?error, "the last figures could not be written");
        }
        self.keep_record().await;
        self.service.store.close().await;
    }

    /// Returns once the database has gone back: the process must end, and answer nothing more.
    pub async fn went_back(&self) {
        self.service.history.lost().await;
        self.keep_record().await;
    }

    /// Returns why, once a newer version has taken the schema beyond this one: the process must end.
    pub async fn outdated(&self) -> String {
        let mut outdated = self.outdated.clone();
        match outdated.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_default(),
            // Nobody looks any more: it is shutting down.
            Err(_closed) => std::future::pending().await,
        }
    }

    async fn keep_record(&self) {
        if let Err(error) = self.record.keep(self.service.newest_revision()).await {
            tracing::warn!(error = ?error, "the newest revision could not be written down");
        }
    }
}

/// Does `work` every so often until told to stop. A failure is logged and tried again next time.
async fn repeat<W>(every: Duration, mut stop: watch::Receiver<bool>, service: Service, work: W)
where
    W: for<'s> AsyncFn(&'s Service) -> Result<(), crate::store::StoreError>,
{
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = told(&mut stop) => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = work(&service).await {
            tracing::warn!(error = ?error, "background work will be tried again");
        }
    }
}

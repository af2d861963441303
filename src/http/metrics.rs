//! Counters and histograms that cost an atomic add each, and their OpenMetrics text.

pub mod tls;
mod webhooks;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use tls::TlsFigures;

use crate::service::Service;

/// The metrics of one process.
#[derive(Debug, Default)]
pub struct Metrics {
    routes: Mutex<Vec<Arc<RouteMetrics>>>,
    /// Open connections of the public listener.
    pub connections: Arc<AtomicU64>,
    draining: AtomicBool,
    tls: OnceLock<Vec<Arc<TlsFigures>>>,
}

/// What is counted for one path.
#[derive(Debug)]
pub(super) struct RouteMetrics {
    path: &'static str,
    /// Answers by hundreds of the status: 1xx to 5xx.
    answers: [AtomicU64; 5],
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// Upper bounds in microseconds; a last bucket takes the rest.
const BOUNDS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// Finds a path's metrics without a lock.
#[derive(Debug)]
pub(super) struct RouteIndex {
    /// Paths without a parameter, in order.
    exact: Vec<(&'static str, Arc<RouteMetrics>)>,
    /// Paths with a parameter, by what stands before it, the longest first.
    prefixes: Vec<(&'static str, Arc<RouteMetrics>)>,
    other: Arc<RouteMetrics>,
}

impl RouteIndex {
    pub(super) fn find(&self, path: &str) -> &Arc<RouteMetrics> {
        let exact = self.exact.binary_search_by(|(known, _)| (known.len(), *known).cmp(&(path.len(), path)));
        let by_prefix = || self.prefixes.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, route)| route);
        exact.ok().map(|found| &self.exact[found].1).or_else(by_prefix).unwrap_or(&self.other)
    }
}

impl RouteMetrics {
    fn new(path: &'static str) -> Arc<Self> {
        Arc::new(Self { path, answers: Default::default(), buckets: Default::default(), sum_us: AtomicU64::new(0) })
    }

    pub(super) fn observe(&self, status: u16, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        let bucket = BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(BOUNDS_US.len());
        self.answers[class].fetch_add(1, Ordering::Relaxed);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Registers the paths of one listener.
    pub(super) fn index(&self, paths: impl Iterator<Item = &'static str>) -> RouteIndex {
        let other = RouteMetrics::new("other");
        let mut index = RouteIndex { exact: Vec::new(), prefixes: Vec::new(), other: Arc::clone(&other) };
        let mut all = vec![other];
        for path in paths {
            if all.iter().any(|route| route.path == path) {
                continue;
            }
            let route = RouteMetrics::new(path);
            all.push(Arc::clone(&route));
            match path.split_once('{') {
                Some((prefix, _)) => index.prefixes.push((prefix, route)),
                None => index.exact.push((path, route)),
            }
        }
        // By length first: most comparisons then end at once.
        index.exact.sort_by_key(|(path, _)| (path.len(), *path));
        index.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
        index
    }

    /// What is counted of the listeners that speak TLS. Said once, at the start.
    pub fn tls(&self, listeners: Vec<Arc<TlsFigures>>) {
        self.tls.get_or_init(|| listeners);
    }

    /// From now on the process reports itself as not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The OpenMetrics text.
    pub(super) fn encode(self: &Arc<Self>, service: &Service) -> String {
        let mut registry = Registry::with_prefix("jeton");
        registry.register_collector(Box::new(Scrape { metrics: Arc::clone(self), service: service.clone() }));
        let mut text = String::new();
        let _infallible = encode(&mut text, &registry);
        text
    }
}

#[derive(Debug)]
struct Scrape {
    metrics: Arc<Metrics>,
    service: Service,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.requests(&mut encoder)?;
        self.durations(&mut encoder)?;
        self.statements(&mut encoder)?;
        self.cache(&mut encoder)?;
        self.cluster(&mut encoder)?;
        let followers = self.service.feed.followers().into();
        gauge(&mut encoder, "stream_clients", "Clients that follow the revocations", followers)?;
        let cut_off = self.service.feed.cut_off.load(Ordering::Relaxed);
        counter(&mut encoder, "stream_cut_off", "Followers that did not take what they were sent", cut_off)?;
        webhooks::encode(&self.service, &mut encoder)?;
        tls::encode(self.metrics.tls.get().into_iter().flatten().map(AsRef::as_ref), &mut encoder)?;
        let connections = self.metrics.connections.load(Ordering::Relaxed);
        gauge(&mut encoder, "http_connections", "Open connections of the public listener", connections)
    }
}

impl Scrape {
    fn routes(&self) -> Vec<Arc<RouteMetrics>> {
        self.metrics.routes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Answered requests by path and class of status";
        let mut family = encoder.encode_descriptor("http_requests", help, None, MetricType::Counter)?;
        for route in self.routes() {
            for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"].iter().zip(&route.answers) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [("path", route.path), ("status", class)];
                    family.encode_family(&labels)?.encode_counter::<[(&str, &str); 0], _, u64>(&count, None)?;
                }
            }
        }
        Ok(())
    }

    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Time from the head of the request to the answer";
        let name = "http_request_duration_seconds";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for route in self.routes() {
            let counts = route.buckets.iter().map(|count| count.load(Ordering::Relaxed));
            let bounds = BOUNDS_US.iter().map(|us| seconds(*us)).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
            let count: u64 = buckets.iter().map(|(_, count)| count).sum();
            if count > 0 {
                let sum = seconds(route.sum_us.load(Ordering::Relaxed));
                let labels = [("path", route.path)];
                family.encode_family(&labels)?.encode_histogram::<[(&str, &str); 0]>(sum, count, &buckets, None)?;
            }
        }
        Ok(())
    }

    fn statements(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "SQL statements sent, by name";
        let mut family = encoder.encode_descriptor("db_statements", help, None, MetricType::Counter)?;
        for (name, count) in self.service.store.counters().iter().filter(|(_, count)| *count > 0) {
            let labels = [("statement", name)];
            family.encode_family(&labels)?.encode_counter::<[(&str, &str); 0], _, u64>(&count, None)?;
        }
        Ok(())
    }

    fn cache(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let figures = self.service.cache.figures();
        gauge(encoder, "cache_tokens", "Validated tokens in memory", figures.tokens)?;
        gauge(encoder, "cache_bytes", "Their approximate size", figures.bytes)?;
        counter(encoder, "cache_hits", "Tokens that were found in memory", figures.hits)?;
        counter(encoder, "cache_misses", "Reads of the database that were to fill it", figures.misses)?;
        let help = "Reads that were not kept because something was revoked meanwhile";
        counter(encoder, "cache_fenced_fills", help, figures.fenced_fills)
    }

    fn cluster(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let applied = self.service.cache.applied().value();
        signed_gauge(encoder, "revocation_applied", "The revision that is in force in this process", applied)?;
        let Some(member) = &self.service.member else {
            return Ok(());
        };
        let left = self.service.cache.lease_left(&self.service.clock).unwrap_or_default();
        let help = "What is left of the lease under which this process answers from memory";
        float_gauge(encoder, "lease_remaining_seconds", help, left.as_secs_f64())?;
        let lag = member.figures.head_seen.load(Ordering::Relaxed).saturating_sub(applied);
        signed_gauge(
            encoder,
            "revocation_applied_lag",
            "Revisions that were seen and are not in force yet",
            lag.max(0),
        )?;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        counter(encoder, "lease_renewals", "Renewals of the lease", load(&member.figures.renewals))?;
        let help = "Connections that were lost, or could not be made, while following the log";
        counter(encoder, "lease_failures", help, load(&member.figures.failed_renewals))?;
        counter(
            encoder,
            "cache_restarts",
            "Times the cache was emptied to start afresh",
            load(&member.figures.restarts),
        )?;
        let staleness = Duration::from_micros(load(&member.figures.probe_last_us)).as_secs_f64();
        let help = "From the commit of the last probe until it was in force here";
        float_gauge(encoder, "revocation_staleness_seconds", help, staleness)?;
        let most = Duration::from_micros(load(&member.figures.probe_most_us)).as_secs_f64();
        float_gauge(encoder, "revocation_staleness_most_seconds", "The longest that any probe has taken", most)?;
        let waits = [("ack", &member.waits.by_ack), ("lease", &member.waits.by_lease)];
        let help = "Waits of revocations for the other nodes, by what ended them";
        let mut family = encoder.encode_descriptor("revocation_waits", help, None, MetricType::Counter)?;
        for (cause, sum) in waits {
            let labels = [("cause", cause)];
            family.encode_family(&labels)?.encode_counter::<[(&str, &str); 0], _, u64>(&load(&sum.count), None)?;
        }
        let help = "Time that revocations have waited for the other nodes";
        let mut family = encoder.encode_descriptor("revocation_wait_seconds", help, None, MetricType::Counter)?;
        for (cause, sum) in waits {
            let (labels, waited) = ([("cause", cause)], seconds(load(&sum.micros)));
            family.encode_family(&labels)?.encode_counter::<[(&str, &str); 0], _, u64>(&waited, None)?;
        }
        Ok(())
    }
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let mut counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    counter.encode_counter::<[(&str, &str); 0], _, u64>(&value, None)
}

fn signed_gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

fn float_gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

#[expect(clippy::cast_precision_loss, reason = "a sum of durations needs no more than 52 bits of precision")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

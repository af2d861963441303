//! The load: a closed loop on each connection, and the readings at both ends of the measured time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::cpu::{Meter, Reading};
use crate::sample::{Latency, Sample};
use crate::script::Script;

/// Whose CPU time is of interest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meters {
    pub server: Option<Meter>,
    pub database: Option<Meter>,
}

/// How long to load, and how long of it to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub warm_up: Duration,
    pub measure: Duration,
}

/// What the threads of one run share.
struct Shared {
    address: SocketAddr,
    phase: AtomicU8,
    answered: AtomicU64,
    /// Told when a connection has nothing more to ask, or has failed.
    ended: Sender<()>,
}

const WARMING_UP: u8 = 0;
const MEASURING: u8 = 1;
const STOPPING: u8 = 2;

/// What one connection brings back.
struct Outcome<S> {
    script: S,
    latencies: Vec<u32>,
}

/// Runs every script on a connection of its own until the time is over or one of them has nothing left to ask.
/// Gives the scripts back between two requests.
pub(crate) fn run<S: Script>(
    address: SocketAddr,
    scripts: Vec<S>,
    window: Window,
    meters: Meters,
) -> anyhow::Result<(Sample, Vec<S>)> {
    let (ended, end) = mpsc::channel();
    let phase = AtomicU8::new(WARMING_UP);
    let shared = Arc::new(Shared { address, phase, answered: AtomicU64::new(0), ended });
    let connections = scripts.len();
    let threads = start(&shared, scripts);
    let measured = measure(&shared, &end, window, meters);
    shared.phase.store(STOPPING, Ordering::Relaxed);
    let (mut scripts, mut latencies) = (Vec::new(), Vec::new());
    for thread in threads {
        for outcome in thread.join().expect("a thread of the generator does not panic")? {
            scripts.push(outcome.script);
            latencies.extend(outcome.latencies);
        }
    }
    let sample = measured.context("the requests ran out before anything was measured")?;
    ensure!(sample.requests > 0.0, "no request was answered in {:?}", sample.elapsed);
    Ok((Sample { connections, latency: Latency::of(latencies), ..sample }, scripts))
}

/// Runs every script until each has nothing left to ask. Measures nothing.
pub(crate) fn exhaust<S: Script>(address: SocketAddr, scripts: Vec<S>) -> anyhow::Result<Vec<S>> {
    let (ended, _) = mpsc::channel();
    let shared = Shared { address, phase: AtomicU8::new(WARMING_UP), answered: AtomicU64::new(0), ended };
    let mut done = Vec::new();
    for thread in start(&Arc::new(shared), scripts) {
        let outcomes = thread.join().expect("a thread of the generator does not panic")?;
        done.extend(outcomes.into_iter().map(|outcome| outcome.script));
    }
    Ok(done)
}

fn measure(shared: &Shared, end: &Receiver<()>, window: Window, meters: Meters) -> Option<Sample> {
    if end.recv_timeout(window.warm_up).is_ok() {
        return None;
    }
    let before = Moment::now(shared, meters);
    shared.phase.store(MEASURING, Ordering::Relaxed);
    let _before_its_time = end.recv_timeout(window.measure);
    let after = Moment::now(shared, meters);
    Some(after.since(&before))
}

/// Everything that is read at one end of the measured time.
struct Moment {
    at: Instant,
    answered: u64,
    server: Option<Reading>,
    database: Option<Reading>,
}

impl Moment {
    fn now(shared: &Shared, meters: Meters) -> Self {
        Self {
            at: now(),
            answered: shared.answered.load(Ordering::Relaxed),
            server: meters.server.and_then(Meter::read),
            database: meters.database.and_then(Meter::read),
        }
    }

    fn since(&self, earlier: &Self) -> Sample {
        let used = |now: &Option<Reading>, before: &Option<Reading>| Some(now.as_ref()?.since(before.as_ref()?));
        Sample {
            requests: (self.answered - earlier.answered) as f64,
            connections: 0,
            elapsed: self.at - earlier.at,
            server: used(&self.server, &earlier.server),
            database: used(&self.database, &earlier.database),
            latency: None,
        }
    }
}

type Running<S> = JoinHandle<anyhow::Result<Vec<Outcome<S>>>>;

/// Half as many threads as cores: to ask costs less than to answer.
fn start<S: Script>(shared: &Arc<Shared>, scripts: Vec<S>) -> Vec<Running<S>> {
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)).min(scripts.len());
    let mut shares: Vec<Vec<S>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, script) in scripts.into_iter().enumerate() {
        shares[number % threads].push(script);
    }
    let spawn = |share| {
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(converse_all(&shared, share))
        })
    };
    shares.into_iter().map(spawn).collect()
}

async fn converse_all<S: Script>(shared: &Arc<Shared>, scripts: Vec<S>) -> anyhow::Result<Vec<Outcome<S>>> {
    let mut connections = JoinSet::new();
    for script in scripts {
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            let outcome = converse(&shared, script).await;
            // Nobody may be listening any more.
            let _unheard = shared.ended.send(());
            outcome
        });
    }
    connections.join_all().await.into_iter().collect()
}

async fn converse<S: Script>(shared: &Shared, mut script: S) -> anyhow::Result<Outcome<S>> {
    let mut connection = Connection::open(shared.address).await.context("the server can't be reached")?;
    let mut latencies = Vec::new();
    let mut began = now();
    loop {
        let phase = shared.phase.load(Ordering::Relaxed);
        if phase == STOPPING {
            break;
        }
        let Some(request) = script.request() else {
            break;
        };
        let answer = connection.call(request).await.context("a request was not answered")?;
        script.answer(&answer)?;
        shared.answered.fetch_add(1, Ordering::Relaxed);
        let answered = now();
        if phase == MEASURING {
            latencies.push(u32::try_from((answered - began).as_nanos()).unwrap_or(u32::MAX));
        }
        began = answered;
    }
    Ok(Outcome { script, latencies })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

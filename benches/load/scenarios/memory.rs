//! Requests that are answered from the validation cache, beside a handler that does nothing.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::Context as _;

use super::{Bench, CONNECTIONS, TOKENS};
use crate::cpu::Meter;
use crate::generator::{self, Meters};
use crate::jeton::{Jeton, Store};
use crate::process::{self, Process};
use crate::report::{Table, each, median, p50_ms, p99_ms, per_second, ratio, spread};
use crate::sample::Sample;
use crate::script::{Expected, Repeat};

/// One server to measure and what to ask it.
struct Subject<'c> {
    name: &'static str,
    jeton: Jeton<'c>,
    requests: Arc<[Vec<u8>]>,
    found: Vec<Sample>,
    baseline: Vec<Sample>,
}

pub(super) fn introspect(bench: &Bench<'_>) -> anyhow::Result<()> {
    let expected = Expected { status: 200, body_begins: "{\"active\":true" };
    let mut stores = vec![("SQLite", Store::Sqlite)];
    stores.extend(bench.cluster.map(|cluster| ("PostgreSQL, one node", Store::PostgresSingleNode(cluster))));
    let title = "POST /oauth20/introspect of a cached token, beside a bare axum handler";
    compare(bench, ("introspect", title), &stores, expected, Jeton::introspect_requests)
}

pub(super) fn access_token(bench: &Bench<'_>) -> anyhow::Result<()> {
    let expected = Expected { status: 200, body_begins: "{\"access_token\":" };
    let title = "GET /oauth20/access-token with a cached access token, beside a bare axum handler";
    compare(bench, ("access-token", title), &[("SQLite", Store::Sqlite)], expected, |_, tokens| {
        Jeton::bearer_requests("/oauth20/access-token", tokens)
    })
}

pub(super) fn verify(bench: &Bench<'_>) -> anyhow::Result<()> {
    let expected = Expected { status: 200, body_begins: "" };
    let title = "GET /oauth20/verify with a cached access token, beside a bare axum handler";
    compare(bench, ("verify", title), &[("SQLite", Store::Sqlite)], expected, |_, tokens| {
        Jeton::bearer_requests("/oauth20/verify", tokens)
    })
}

fn compare<'c>(
    bench: &Bench<'_>,
    (part, title): (&'static str, &str),
    stores: &[(&'static str, Store<'c>)],
    expected: Expected,
    requests: impl Fn(&Jeton<'c>, &[String]) -> Arc<[Vec<u8>]>,
) -> anyhow::Result<()> {
    let cores = bench.cores.as_ref().map(|cores| &*cores.server);
    let start = |(name, store): &(&'static str, Store<'c>)| {
        let jeton = Jeton::start(*store, cores)?;
        let requests = requests(&jeton, &jeton.issue(TOKENS, CONNECTIONS)?);
        Ok(Subject { name, jeton, requests, found: Vec::new(), baseline: Vec::new() })
    };
    let mut subjects: Vec<Subject<'c>> = stores.iter().map(start).collect::<anyhow::Result<_>>()?;
    let body_bytes = subjects[0].jeton.body_bytes(&subjects[0].requests[0])?;
    let bare = Bare::start(body_bytes, cores)?;
    let _apart = bench.cores.as_ref().map(super::Cores::apart);
    for _ in bench.rounds(part, "from memory") {
        for subject in &mut subjects {
            let load = |address, expected, meters| {
                let scripts = Repeat::scripts(CONNECTIONS, &subject.requests, expected);
                Ok::<_, anyhow::Error>(generator::run(address, scripts, bench.window, meters)?.0)
            };
            let found = load(subject.jeton.address(), expected, subject.jeton.meters())?;
            let baseline = load(bare.address, Expected { status: 200, body_begins: "" }, bare.meters())?;
            subject.found.push(found);
            subject.baseline.push(baseline);
        }
    }
    print(title, &subjects);
    Ok(())
}

fn print(title: &str, subjects: &[Subject<'_>]) {
    let mut table = Table::new(&[
        "database",
        "CPU a request, µs",
        "bare, µs",
        "ratio",
        "requests/s",
        "bare/s",
        "ratio",
        "p50, ms",
        "p99, ms",
    ]);
    for Subject { name, found, baseline, .. } in subjects {
        table.row([
            (*name).to_owned(),
            spread(each(found, Sample::server_us), 2),
            spread(each(baseline, Sample::server_us), 2),
            spread(ratio(found, baseline, Sample::server_us), 2),
            spread(each(found, per_second), 0),
            spread(each(baseline, per_second), 0),
            spread(ratio(found, baseline, per_second), 2),
            median(each(found, p50_ms), 2),
            median(each(found, p99_ms), 2),
        ]);
    }
    table.print(title);
}

/// This very program as a server that does nothing.
struct Bare {
    process: Process,
    address: SocketAddr,
}

impl Bare {
    fn start(body_bytes: usize, cores: Option<&str>) -> anyhow::Result<Self> {
        let mut command = process::command(std::env::current_exe()?, cores);
        command.args(["--bare-server", &body_bytes.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let stdout = process.child().stdout.take().context("standard output is piped")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().context("the bare server has not started")?;
        Ok(Self { process, address })
    }

    fn meters(&self) -> Meters {
        Meters { server: Some(Meter::Process(self.process.id())), database: None }
    }
}

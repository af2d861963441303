//! Requests that are answered from the validation cache, beside a handler that does nothing.

use std::sync::Arc;

use super::{Bench, CONNECTIONS, TOKENS};
use crate::bare::Bare;
use crate::generator;
use crate::jeton::{Jeton, Store};
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

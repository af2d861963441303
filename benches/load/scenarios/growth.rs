//! What each kind of request costs as the store grows, and as nodes are added.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::{Bench, CONNECTIONS, TOKENS};
use crate::bare::Bare;
use crate::cpu::Meter;
use crate::generator::{self, Meters, Window, now};
use crate::jeton::{Jeton, Store};
use crate::pgbench::Statement;
use crate::plot::{self, Line};
use crate::report::Table;
use crate::sample::{Sample, Spread};
use crate::script::{Chain, Expected, Once, Repeat};

/// Tokens, spread over the year like all others, whose strings are known.
const SAMPLES: usize = 20_000;
/// Pages of the list that are read; the median counts.
const PAGES: usize = 50;
/// More than any machine revokes in a second.
const REVOKED_A_SECOND: u64 = 10_000;
/// Too little for any token: each validation then reads the store.
const NO_CACHE: (&str, &str) = ("JETON__VALIDATION__CACHE_BYTES", "1048576");
/// Enough for all samples.
const CACHE: (&str, &str) = ("JETON__VALIDATION__CACHE_BYTES", "268435456");

/// What one size has cost. Times are microseconds of CPU a request, server and database together, except where it says
/// otherwise.
struct Cost {
    tokens: u64,
    /// The server's CPU, as a multiple of the bare handler's.
    hit: f64,
    /// As a multiple of pgbench's select by primary key, the database's CPU alone; on SQLite microseconds.
    miss: f64,
    miss_us: f64,
    issue_us: f64,
    refresh_us: f64,
    revoke_us: f64,
    page: Duration,
    /// Bytes of the write-ahead log per issued token right after a checkpoint, and later.
    wal: Option<[f64; 2]>,
}

/// Fills the store to `to` tokens, from `from`: copies of the template and its token which end at moments spread evenly over
/// a year.
fn fill(jeton: &Jeton<'_>, from: u64, to: u64) -> anyhow::Result<()> {
    const COLUMNS: &str = "workspace_id, policy, policy_version, origin, name, user_id, state, scopes";
    let span_ms = 360_u64 * 86_400_000;
    // The first six bytes of an id are the end in milliseconds.
    let sqlite = format!(
        "CREATE TEMP TABLE filler AS WITH RECURSIVE n (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM n WHERE n + 1 < {to}), \
         e (n, e) AS (SELECT n, created_at + 3600000 + n * 7919 * 4001 % {span_ms} FROM n, grant_ WHERE name = 'template') \
         SELECT n, e, unhex(printf('%012x%020x', e, n)) AS id FROM e ORDER BY e; \
         INSERT INTO grant_ (id, {COLUMNS}, created_at, expires_at, version, revision) SELECT f.id, {COLUMNS}, created_at + f.n, f.e, \
         version, revision FROM grant_ g, filler f WHERE g.name = 'template' ORDER BY f.e; \
         INSERT INTO token (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) SELECT f.id, kind, f.id, \
         t.digest, key_version, generation, t.scopes, issued_at FROM token t JOIN grant_ g ON g.id = t.grant_id, filler f \
         WHERE g.name = 'template' AND t.kind = 'a' ORDER BY f.e; DROP TABLE filler; ANALYZE"
    );
    let postgres = format!(
        "CREATE TEMP TABLE filler AS SELECT n, e, substring(int8send(e) FROM 3) || decode(lpad(to_hex(n), 20, '0'), 'hex') AS id \
         FROM (SELECT n, created_at + 3600000 + n * 7919 * 4001 % {span_ms} AS e FROM generate_series({from}::bigint, {to}::bigint - 1) n, \
         grant_ WHERE name = 'template') m; \
         INSERT INTO grant_ (id, {COLUMNS}, created_at, expires_at, version, revision) SELECT f.id, {COLUMNS}, created_at + f.n, f.e, \
         version, revision FROM grant_ g, filler f WHERE g.name = 'template' ORDER BY f.e; \
         INSERT INTO token (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) SELECT f.id, kind, f.id, \
         sha256(f.id), key_version, generation, t.scopes, issued_at FROM token t JOIN grant_ g ON g.id = t.grant_id, filler f \
         WHERE g.name = 'template' AND t.kind = 'a' ORDER BY f.e; DROP TABLE filler; VACUUM (ANALYZE) grant_; VACUUM (ANALYZE) token"
    );
    jeton.run_sql([&sqlite, &postgres])
}

pub(super) fn measure(bench: &Bench<'_>, sizes: &[u64], file: Option<&std::path::Path>) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for (database, store) in bench.stores() {
        if matches!(store, Store::PostgresSingleNode(_)) {
            continue;
        }
        let costs = grow(bench, database, store, sizes)?;
        print(database, &costs);
        let points =
            |cost: fn(&Cost) -> f64| costs.iter().map(|each| (each.tokens, cost(each) / cost(&costs[0]))).collect();
        lines.extend([
            Line { name: format!("{database}, cached token"), points: points(|cost| cost.hit) },
            Line { name: format!("{database}, read token"), points: points(|cost| cost.miss) },
            Line { name: format!("{database}, issue"), points: points(|cost| cost.issue_us) },
            Line { name: format!("{database}, refresh"), points: points(|cost| cost.refresh_us) },
            Line { name: format!("{database}, revoke"), points: points(|cost| cost.revoke_us) },
            Line { name: format!("{database}, page of the list"), points: points(|cost| cost.page.as_secs_f64()) },
        ]);
    }
    if let Some(file) = file {
        plot::write(file, "Cost by stored tokens, as a multiple of the cost of the smallest store", &lines)?;
    }
    nodes(bench)
}

fn grow(bench: &Bench<'_>, database: &'static str, store: Store<'_>, sizes: &[u64]) -> anyhow::Result<Vec<Cost>> {
    let mut jeton = Jeton::start(store, None)?;
    jeton.api().create(
        "/admin/v1/tokens",
        &serde_json::json!({ "policy": "managed", "name": "template", "lifetime": "90d" }),
    )?;
    let samples = jeton.make_spread(SAMPLES)?;
    let mut stored = samples.len() as u64;
    let mut costs = Vec::new();
    for &size in sizes {
        eprintln!("growth, {database}: {size} tokens");
        if size > stored {
            fill(&jeton, stored, size)?;
            stored = size;
        }
        costs.push(one(bench, &mut jeton, store, &samples, stored)?);
    }
    Ok(costs)
}

/// Everything at one size.
fn one(
    bench: &Bench<'_>,
    jeton: &mut Jeton<'_>,
    store: Store<'_>,
    samples: &[String],
    tokens: u64,
) -> anyhow::Result<Cost> {
    let active = Expected { status: 200, body_begins: "{\"active\":true" };
    let (wal, issued) = (wal(bench, jeton)?, Expected { status: 200, body_begins: "{\"access_token\":\"" });
    let mut found = Cost {
        tokens,
        hit: f64::NAN,
        miss: f64::NAN,
        miss_us: f64::NAN,
        issue_us: f64::NAN,
        refresh_us: f64::NAN,
        revoke_us: f64::NAN,
        page: Duration::ZERO,
        wal,
    };
    // From memory, on cores of their own, beside the bare handler.
    let cores = bench.cores.as_ref().map(|cores| &*cores.server);
    jeton.restart(cores, &[CACHE])?;
    let requests = jeton.introspect_requests(&samples[..TOKENS]);
    let bare = Bare::start(jeton.body_bytes(&requests[0])?, cores)?;
    {
        let _apart = bench.cores.as_ref().map(super::Cores::apart);
        found.hit = median((0..bench.rounds).map(|_| {
            let load = |address, expected, meters| {
                let scripts = Repeat::scripts(CONNECTIONS, &requests, expected);
                generator::run(address, scripts, bench.window, meters).map(|(sample, _)| sample)
            };
            let hit = load(jeton.address(), active, jeton.meters())?;
            let nothing = load(bare.address, Expected { status: 200, body_begins: "" }, bare.meters())?;
            Ok(hit.server_us().context("no CPU time")? / nothing.server_us().context("no CPU time")?)
        }))?;
    }
    drop(bare);
    jeton.restart(None, &[NO_CACHE])?;
    let requests = jeton.introspect_requests(samples);
    let mut misses = Vec::new();
    found.miss = median((0..bench.rounds).map(|_| {
        let scripts = Repeat::scripts(CONNECTIONS, &requests, active);
        let sample = generator::run(jeton.address(), scripts, bench.window, jeton.meters())?.0;
        misses.push(total_us(&sample)?);
        Ok(match (store, &bench.pgbench) {
            (Store::Sqlite, _) | (_, None) => total_us(&sample)?,
            (_, Some(pgbench)) => {
                let select = pgbench.run(Statement::Select, CONNECTIONS, bench.window)?;
                sample.database_us().context("no CPU time")? / select.database_us().context("no CPU time")?
            }
        })
    }))?;
    found.miss_us = median(misses.into_iter().map(Ok))?;
    jeton.restart(None, &[CACHE])?;
    let issue = std::sync::Arc::from([jeton.issue_request()]);
    found.issue_us = median((0..bench.rounds).map(|_| {
        let scripts = Repeat::scripts(CONNECTIONS, &issue, issued);
        total_us(&generator::run(jeton.address(), scripts, bench.window, jeton.meters())?.0)
    }))?;
    let mut chains: Vec<Chain> = (0..CONNECTIONS).map(|_| jeton.api().create_pair()).collect::<anyhow::Result<_>>()?;
    let mut refreshes = Vec::new();
    for _ in 0..bench.rounds {
        let (sample, continued) = generator::run(jeton.address(), chains, bench.window, jeton.meters())?;
        chains = continued;
        refreshes.push(total_us(&sample)?);
    }
    found.refresh_us = median(refreshes.into_iter().map(Ok))?;
    let supply = usize::try_from((bench.window.measure.as_secs() + 1) * REVOKED_A_SECOND)?;
    found.revoke_us = median((0..bench.rounds).map(|_| {
        let requests = jeton.revoke_requests(&jeton.issue(supply, CONNECTIONS)?);
        let scripts = Once::scripts(CONNECTIONS, requests, Expected { status: 200, body_begins: "" });
        total_us(&generator::run(jeton.address(), scripts, bench.window, jeton.meters())?.0)
    }))?;
    let mut pages = Vec::new();
    for _ in 0..PAGES {
        let began = now();
        let page = jeton.api().get("/admin/v1/tokens?limit=50")?;
        pages.push(began.elapsed());
        ensure!(page["data"].as_array().is_some_and(|rows| rows.len() == 50), "a page that is not full: {page}");
    }
    pages.sort_unstable();
    found.page = pages[PAGES / 2];
    Ok(found)
}

/// Bytes of the write-ahead log for each issued token: in the seconds after a checkpoint, in which each page that is written
/// goes into the log as a whole once, and in those that follow.
fn wal(bench: &Bench<'_>, jeton: &Jeton<'_>) -> anyhow::Result<Option<[f64; 2]>> {
    let Some(database) = jeton.database() else {
        return Ok(None);
    };
    let position = || database.number("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint");
    let requests = std::sync::Arc::from([jeton.issue_request()]);
    let window = Window { warm_up: Duration::from_millis(100), measure: 2 * bench.window.measure };
    database.execute("CHECKPOINT")?;
    let mut found = [0.0; 2];
    for each in &mut found {
        let before = position()?;
        let scripts =
            Repeat::scripts(CONNECTIONS, &requests, Expected { status: 200, body_begins: "{\"access_token\":\"" });
        let sample = generator::run(jeton.address(), scripts, window, jeton.meters())?.0;
        // The log of the warm-up is in it, and its requests are not: a twentieth.
        let share = window.measure.as_secs_f64() / (window.measure + window.warm_up).as_secs_f64();
        *each = (position()? - before) as f64 * share / sample.requests;
    }
    Ok(Some(found))
}

/// The same load on one node and spread over several: CPU a request, of all of them.
fn nodes(bench: &Bench<'_>) -> anyhow::Result<()> {
    let Some(cluster) = bench.cluster else {
        return Ok(());
    };
    let mut table = Table::new(&[
        "nodes",
        "cached token, CPU µs",
        "issue, CPU µs with the database's",
        "revoke, CPU µs with the database's",
    ]);
    for count in 1..=3_usize {
        eprintln!("growth, {count} nodes");
        let jeton = Jeton::start(Store::Postgres(cluster), None)?;
        let others = (1..count).map(|_| jeton.join()).collect::<anyhow::Result<Vec<_>>>()?;
        let first = jeton.meters();
        let mut targets = vec![(jeton.address(), first.server.context("the server has a meter")?)];
        targets.extend(others.iter().map(|node| (node.address, node.meter())));
        let tokens = jeton.issue(TOKENS, CONNECTIONS)?;
        let requests = jeton.introspect_requests(&tokens);
        let active = Expected { status: 200, body_begins: "{\"active\":true" };
        let issue = std::sync::Arc::from([jeton.issue_request()]);
        let (mut hits, mut issues, mut revocations) = (Vec::new(), Vec::new(), Vec::new());
        let supply = usize::try_from((bench.window.measure.as_secs() + 1) * REVOKED_A_SECOND)? / count;
        for _ in 0..bench.rounds {
            let share = CONNECTIONS / count;
            hits.push(together(&targets, None, bench.window, |_| Ok(Repeat::scripts(share, &requests, active)))?);
            let issued = Expected { status: 200, body_begins: "{\"access_token\":\"" };
            issues.push(together(&targets, first.database, bench.window, |_| {
                Ok(Repeat::scripts(share, &issue, issued))
            })?);
            revocations.push(together(&targets, first.database, bench.window, |_| {
                let requests = jeton.revoke_requests(&jeton.issue(supply, CONNECTIONS)?);
                Ok(Once::scripts(share, requests, Expected { status: 200, body_begins: "" }))
            })?);
        }
        table.row([
            count.to_string(),
            format!("{:.2}", median(hits.into_iter().map(Ok))?),
            format!("{:.1}", median(issues.into_iter().map(Ok))?),
            format!("{:.1}", median(revocations.into_iter().map(Ok))?),
        ]);
    }
    table.print("PostgreSQL: the same load on more nodes");
    Ok(())
}

/// CPU of all nodes, and of the database, for each request of a load that all of them get at once.
fn together<S: crate::script::Script>(
    targets: &[(std::net::SocketAddr, Meter)],
    database: Option<Meter>,
    window: Window,
    scripts: impl Fn(usize) -> anyhow::Result<Vec<S>>,
) -> anyhow::Result<f64> {
    let prepared = (0..targets.len()).map(scripts).collect::<anyhow::Result<Vec<_>>>()?;
    let runs: Vec<_> = std::thread::scope(|scope| {
        let runs = targets.iter().zip(prepared).enumerate().map(|(number, (&(address, server), scripts))| {
            let meters = Meters { server: Some(server), database: database.filter(|_| number == 0) };
            scope.spawn(move || generator::run(address, scripts, window, meters).map(|(sample, _)| sample))
        });
        let runs: Vec<_> = runs.collect();
        runs.into_iter().map(|run| run.join().expect("a generator does not panic")).collect()
    });
    let samples = runs.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let used: Duration = samples.iter().flat_map(|sample| [sample.server, sample.database]).flatten().sum();
    Ok(used.as_secs_f64() * 1e6 / samples.iter().map(|sample| sample.requests).sum::<f64>())
}

fn total_us(sample: &Sample) -> anyhow::Result<f64> {
    Ok(sample.server_us().context("no CPU time")? + sample.database_us().unwrap_or(0.0))
}

fn median(values: impl Iterator<Item = anyhow::Result<f64>>) -> anyhow::Result<f64> {
    let values = values.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Spread::of(values.into_iter().map(Some)).context("nothing was measured")?.median)
}

fn print(database: &str, costs: &[Cost]) {
    let mut table = Table::new(&[
        "stored tokens",
        "cached token, times the bare handler",
        "read token, times pgbench's select (database CPU)",
        "read token, µs",
        "issue, µs",
        "refresh, µs",
        "revoke, µs",
        "page of 50, ms",
        "log a token after a checkpoint, bytes",
        "later, bytes",
    ]);
    for cost in costs {
        let wal = |index: usize| cost.wal.map_or("–".to_owned(), |wal| format!("{:.0}", wal[index]));
        table.row([
            cost.tokens.to_string(),
            format!("{:.2}", cost.hit),
            if cost.wal.is_some() { format!("{:.2}", cost.miss) } else { "–".to_owned() },
            format!("{:.1}", cost.miss_us),
            format!("{:.1}", cost.issue_us),
            format!("{:.1}", cost.refresh_us),
            format!("{:.1}", cost.revoke_us),
            format!("{:.2}", cost.page.as_secs_f64() * 1e3),
            wal(0),
            wal(1),
        ]);
    }
    table.print(&format!("Growth, {database}: CPU of server and database a request"));
}

//! Introspection where each request reads the database, as with several nodes, beside a select by primary key.

use super::{Bench, CONNECTIONS, TOKENS};
use crate::generator;
use crate::jeton::{Jeton, Store};
use crate::pgbench::Statement;
use crate::report::{Table, each, median, p50_ms, p99_ms, per_second, ratio, spread};
use crate::sample::Sample;
use crate::script::{Expected, Repeat};

pub(super) fn introspect(bench: &Bench<'_>) -> anyhow::Result<()> {
    let Some(cluster) = bench.cluster else {
        return Ok(());
    };
    let title = "POST /oauth20/introspect that reads PostgreSQL each time, beside pgbench's select by primary key";
    let jeton = Jeton::start(Store::Postgres(cluster), None)?;
    let requests = jeton.introspect_requests(&jeton.issue(TOKENS, CONNECTIONS)?);
    let expected = Expected { status: 200, body_begins: "{\"active\":true" };
    let (mut found, mut baseline) = (Vec::new(), Vec::new());
    for _ in bench.rounds("introspect", "PostgreSQL, reading each time") {
        let scripts = Repeat::scripts(CONNECTIONS, &requests, expected);
        found.push(generator::run(jeton.address(), scripts, bench.window, jeton.meters())?.0);
        if let Some(pgbench) = &bench.pgbench {
            baseline.push(pgbench.run(Statement::Select, CONNECTIONS, bench.window)?);
        }
    }
    let mut table = Table::new(&[
        "requests/s",
        "p50, ms",
        "p99, ms",
        "server CPU, µs",
        "database CPU, µs",
        "pgbench/s",
        "its database CPU, µs",
        "ratio of rates",
        "ratio of database CPU",
    ]);
    table.row([
        spread(each(&found, per_second), 0),
        median(each(&found, p50_ms), 2),
        median(each(&found, p99_ms), 2),
        spread(each(&found, Sample::server_us), 1),
        spread(each(&found, Sample::database_us), 1),
        spread(each(&baseline, per_second), 0),
        spread(each(&baseline, Sample::database_us), 1),
        spread(ratio(&found, &baseline, per_second), 2),
        spread(ratio(&found, &baseline, Sample::database_us), 2),
    ]);
    table.print(title);
    Ok(())
}

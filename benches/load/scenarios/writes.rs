//! What the scenarios that write have in common: where they write, their baselines, and their table.

use super::{Bench, CONNECTIONS};
use crate::jeton::Store;
use crate::pgbench::Statement;
use crate::report::{Table, each, mean_ms, median, p50_ms, p99_ms, per_second, ratio, spread};
use crate::sample::{Sample, Spread};
use crate::sqlite;

/// The samples of one kind of write on one database.
#[derive(Default)]
pub(super) struct Samples {
    pub found: Vec<Sample>,
    /// Paired with `found`, or empty.
    pub baseline: Vec<Sample>,
}

/// One line of the table.
pub(super) struct Line {
    pub database: &'static str,
    pub connections: usize,
    pub samples: Samples,
}

impl<'c> Bench<'c> {
    pub(super) fn stores(&self) -> Vec<(&'static str, Store<'c>)> {
        let mut stores = vec![("SQLite", Store::Sqlite)];
        if let Some(cluster) = self.cluster {
            stores.push(("PostgreSQL", Store::Postgres(cluster)));
            stores.push(("PostgreSQL, one node", Store::PostgresSingleNode(cluster)));
        }
        stores
    }

    /// One row a transaction: on SQLite an insert, on PostgreSQL what `statement` says.
    pub(super) fn row_by_row(&self, store: Store<'_>, statement: Statement) -> anyhow::Result<Option<Sample>> {
        match (store, &self.pgbench) {
            (Store::Sqlite, _) => sqlite::commits(self.window).map(Some),
            (_, Some(pgbench)) => pgbench.run(statement, CONNECTIONS, self.window).map(Some),
            (_, None) => Ok(None),
        }
    }
}

/// How much longer than one row of the baseline the slowest hundredth takes.
fn p99_to_mean(found: &[Sample], baseline: &[Sample]) -> Option<Spread> {
    Spread::of(found.iter().zip(baseline).map(|(found, baseline)| Some(p99_ms(found)? / mean_ms(baseline)?)))
}

pub(super) fn print(title: &str, lines: &[Line]) {
    let mut table = Table::new(&[
        "database",
        "connections",
        "requests/s",
        "p50, ms",
        "p99, ms",
        "server CPU, µs",
        "database CPU, µs",
        "row by row/s",
        "its mean, ms",
        "its database CPU, µs",
        "ratio of rates",
        "p99 to its mean",
    ]);
    for Line { database, connections, samples: Samples { found, baseline } } in lines {
        table.row([
            (*database).to_owned(),
            connections.to_string(),
            spread(each(found, per_second), 0),
            median(each(found, p50_ms), 2),
            median(each(found, p99_ms), 2),
            spread(each(found, Sample::server_us), 1),
            spread(each(found, Sample::database_us), 1),
            spread(each(baseline, per_second), 0),
            median(each(baseline, mean_ms), 2),
            spread(each(baseline, Sample::database_us), 1),
            spread(ratio(found, baseline, per_second), 2),
            spread(p99_to_mean(found, baseline), 2),
        ]);
    }
    table.print(title);
}

//! Revoking (RFC 7009): every request ends another token, which was issued before.

use super::writes::{Line, Samples, print};
use super::{Bench, CONNECTIONS};
use crate::generator;
use crate::jeton::Jeton;
use crate::pgbench::Statement;
use crate::script::{Expected, Once};

/// More than any machine revokes in a second; where they run out the measurement is over earlier.
const TOKENS_A_SECOND: u64 = 10_000;

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<()> {
    let title = "POST /oauth20/revoke, beside writes of single rows";
    let expected = Expected { status: 200, body_begins: "" };
    let supply = usize::try_from((bench.window.measure.as_secs() + 1) * TOKENS_A_SECOND)?;
    let mut lines = Vec::new();
    for (database, store) in bench.stores() {
        let jeton = Jeton::start(store, None)?;
        let mut samples = Samples::default();
        for _ in bench.rounds("revoke", database) {
            let requests = jeton.revoke_requests(&jeton.issue(supply, CONNECTIONS)?);
            let scripts = Once::scripts(CONNECTIONS, requests, expected);
            samples.found.push(generator::run(jeton.address(), scripts, bench.window, jeton.meters())?.0);
            samples.baseline.extend(bench.row_by_row(store, Statement::Update)?);
        }
        lines.push(Line { database, connections: CONNECTIONS, samples });
    }
    print(title, &lines);
    Ok(())
}

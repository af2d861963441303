//! Refreshing: a chain per connection, each call with the refresh token that the call before has given.

use super::writes::{Line, Samples, print};
use super::{Bench, CONNECTIONS};
use crate::generator;
use crate::jeton::Jeton;
use crate::pgbench::Statement;
use crate::script::Chain;

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<()> {
    let title = "POST /oauth20/token, refresh_token, beside writes of single rows";
    let mut lines = Vec::new();
    for (database, store) in bench.stores() {
        let jeton = Jeton::start(store, None)?;
        let mut chains: Vec<Chain> =
            (0..CONNECTIONS).map(|_| jeton.api().create_pair()).collect::<anyhow::Result<_>>()?;
        let mut samples = Samples::default();
        for _ in bench.rounds("refresh", database) {
            let (sample, continued) = generator::run(jeton.address(), chains, bench.window, jeton.meters())?;
            chains = continued;
            samples.found.push(sample);
            samples.baseline.extend(bench.row_by_row(store, Statement::Update)?);
        }
        lines.push(Line { database, connections: CONNECTIONS, samples });
    }
    print(title, &lines);
    Ok(())
}

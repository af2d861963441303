//! Issuing by client credentials, on few and many connections, beside single-row inserts.

use std::sync::Arc;

use super::writes::{Line, Samples, print};
use super::{Bench, CONNECTIONS};
use crate::generator;
use crate::jeton::Jeton;
use crate::pgbench::Statement;
use crate::script::{Expected, Repeat};

const WIDTHS: [usize; 4] = [1, 8, CONNECTIONS, 128];

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<()> {
    let title = "POST /oauth20/token, client_credentials, beside inserts of single rows on 64 connections";
    let expected = Expected { status: 200, body_begins: "{\"access_token\":\"" };
    let mut lines = Vec::new();
    for (database, store) in bench.stores() {
        let jeton = Jeton::start(store, None)?;
        let requests = Arc::from([jeton.issue_request()]);
        let new = |connections| Line { database, connections, samples: Samples::default() };
        let mut own: Vec<Line> = WIDTHS.map(new).into();
        for _ in bench.rounds("issue", database) {
            for Line { connections, samples, .. } in &mut own {
                let scripts = Repeat::scripts(*connections, &requests, expected);
                samples.found.push(generator::run(jeton.address(), scripts, bench.window, jeton.meters())?.0);
                if *connections == CONNECTIONS {
                    samples.baseline.extend(bench.row_by_row(store, Statement::Insert)?);
                }
            }
        }
        lines.extend(own);
    }
    print(title, &lines);
    Ok(())
}

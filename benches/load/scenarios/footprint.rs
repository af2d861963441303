//! What the server takes while it does nothing: time to start, memory, the size of the binary, memory of cached tokens.

use std::time::Duration;

use super::{Bench, CONNECTIONS};
use crate::generator::{self, now};
use crate::jeton::{self, Jeton};
use crate::report::Table;
use crate::script::{Expected, Once};

/// Room for all tokens that are cached here.
const CACHE: (&str, &str) = ("JETON__VALIDATION__CACHE_BYTES", "4294967296");
/// One batch of tokens that is issued and then validated: their strings need not all be kept.
const BATCH: usize = 100_000;

pub(super) fn measure(bench: &Bench<'_>, tokens: usize) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "database",
        "binary, MB",
        "start on a migrated database, ms",
        "idle, MiB",
        "cached tokens",
        "bytes each",
    ]);
    let binary = std::fs::metadata(jeton::binary())?.len();
    for (database, store) in bench.stores() {
        eprintln!("footprint, {database}");
        let mut jeton = Jeton::start(store, None)?;
        let mut starts = Vec::new();
        for _ in 0..bench.rounds {
            jeton.stop()?;
            let began = now();
            jeton.start_again(None, &[CACHE])?;
            starts.push(began.elapsed());
        }
        starts.sort_unstable();
        let idle = jeton.resident_bytes()?;
        // What serving needs is there before the cache is filled.
        let mut before = None;
        for batch in [CONNECTIONS].into_iter().chain(std::iter::repeat_n(BATCH, tokens.div_ceil(BATCH))) {
            let requests = jeton.introspect_requests(&jeton.issue(batch, CONNECTIONS)?);
            let active = Expected { status: 200, body_begins: "{\"active\":true" };
            generator::exhaust(jeton.address(), Once::scripts(CONNECTIONS, requests.to_vec(), active))?;
            before.get_or_insert(jeton.resident_bytes()?);
        }
        let cached = tokens.div_ceil(BATCH) * BATCH;
        let grown = jeton.resident_bytes()?.saturating_sub(before.unwrap_or_default());
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        table.row([
            database.to_owned(),
            format!("{:.1}", binary as f64 / 1e6),
            format!(
                "{:.0} ({:.0} to {:.0})",
                ms(starts[starts.len() / 2]),
                ms(starts[0]),
                ms(starts[starts.len() - 1])
            ),
            format!("{:.1}", idle as f64 / f64::from(1 << 20)),
            cached.to_string(),
            format!("{:.0}", grown as f64 / cached as f64),
        ]);
    }
    table.print("What the server takes");
    Ok(())
}

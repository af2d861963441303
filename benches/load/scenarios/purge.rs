//! What it costs to forget a million tokens of a month that has ended: the server drops their partition.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::Bench;
use crate::generator::now;
use crate::jeton::{Jeton, Store};
use crate::postgres::Database;
use crate::report::Table;

/// A million tokens that ended three months ago, in the partition of their month.
const FILL: &str = "DO $$ DECLARE month date := date_trunc('month', now() - interval '3 months'); \
    low bytea := substring(int8send((extract(epoch FROM month) * 1000)::bigint) FROM 3); \
    high bytea := substring(int8send((extract(epoch FROM month + interval '1 month') * 1000)::bigint) FROM 3); BEGIN \
    EXECUTE format('CREATE TABLE token_%s PARTITION OF token FOR VALUES FROM (%L) TO (%L)', to_char(month, 'YYYYMM'), low, high); \
    INSERT INTO token (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) SELECT low || \
    decode(lpad(to_hex(n), 20, '0'), 'hex'), kind, grant_id, sha256(int8send(n)), key_version, generation, scopes, issued_at \
    FROM (SELECT * FROM token LIMIT 1) t, generate_series(1, 1000000) n; END $$";
const DELETE: &str = "DELETE FROM token WHERE issued_at IS NOT NULL AND id < substring(int8send((extract(epoch FROM now() - \
    interval '1 month') * 1000)::bigint) FROM 3)";
const LEFT: &str = "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'token'::regclass \
    AND c.relname = 'token_' || to_char(now() - interval '3 months', 'YYYYMM')";
const POSITION: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
/// A server that has not purged by then does not purge.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<()> {
    let Some(cluster) = bench.cluster else {
        return Ok(());
    };
    eprintln!("purge");
    let mut jeton = Jeton::start(Store::Postgres(cluster), None)?;
    jeton.api().create("/admin/v1/tokens", &json!({ "policy": "managed", "name": "one", "lifetime": "90d" }))?;
    jeton.stop()?;
    let database =
        |jeton: &Jeton<'_>| -> anyhow::Result<i64> { jeton.database().context("on PostgreSQL")?.number(POSITION) };
    fill(jeton.database().context("on PostgreSQL")?)?;
    let (before, began) = (database(&jeton)?, now());
    jeton.start_again(None, &[])?;
    let dropped = until_gone(jeton.database().context("on PostgreSQL")?, began)?;
    let drop_log = database(&jeton)? - before;
    jeton.stop()?;
    let on = jeton.database().context("on PostgreSQL")?;
    fill(on)?;
    let (before, began) = (on.number(POSITION)?, now());
    on.execute(DELETE)?;
    let (deleted, delete_log) = (began.elapsed(), on.number(POSITION)? - before);
    on.execute("VACUUM token")?;
    let (vacuumed, vacuum_log) = (began.elapsed(), on.number(POSITION)? - before);
    let mut table = Table::new(&["how", "ms", "write-ahead log, MB"]);
    let mut row = |how: &str, time: Duration, bytes: i64| {
        table.row([how.to_owned(), format!("{:.0}", time.as_secs_f64() * 1e3), format!("{:.2}", bytes as f64 / 1e6)]);
    };
    row("by the server: from its start until the partition is gone", dropped, drop_log);
    row("DELETE, for comparison", deleted, delete_log);
    row("DELETE and VACUUM", vacuumed, vacuum_log);
    table.print("PostgreSQL: purging a million expired tokens");
    Ok(())
}

fn fill(database: &Database<'_>) -> anyhow::Result<()> {
    database.execute(FILL)?;
    database.execute("CHECKPOINT")
}

fn until_gone(database: &Database<'_>, began: Instant) -> anyhow::Result<Duration> {
    while database.number(LEFT)? > 0 {
        ensure!(began.elapsed() < PATIENCE, "the server has not purged the tokens");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(began.elapsed())
}

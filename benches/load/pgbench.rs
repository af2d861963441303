//! The baseline of everything that Postgres decides: its own benchmark program with one prepared statement a
//! transaction, on a table like that of the tokens, in the same cluster.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use crate::cpu::Meter;
use crate::generator::{Window, now};
use crate::jeton;
use crate::postgres::{Cluster, Database};
use crate::process::{self, Process};
use crate::sample::Sample;

pub(crate) struct Pgbench<'c> {
    program: PathBuf,
    database: Database<'c>,
    scripts: TempDir,
}

/// One statement by primary key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Statement {
    Select,
    Insert,
    Update,
}

const TABLE: &str = "
    CREATE TABLE token (
        id BYTEA PRIMARY KEY, kind TEXT NOT NULL, grant_id BYTEA NOT NULL, digest BYTEA NOT NULL,
        key_version INTEGER NOT NULL, generation BIGINT NOT NULL, scopes TEXT, issued_at BIGINT NOT NULL
    );
    INSERT INTO token
        SELECT int8send(n) || int8send(n), 'a', int8send(n) || int8send(n), sha256(int8send(n)), 1, 0, NULL, n
        FROM generate_series(1, 100000) AS row(n);
    ANALYZE token;";

impl Statement {
    const fn script(self) -> &'static str {
        match self {
            Self::Select => {
                "\\set n random(1, 100000)\n\
                 SELECT kind, grant_id, digest, key_version, generation, scopes, issued_at FROM token \
                 WHERE id = int8send(:n) || int8send(:n);\n"
            }
            // Ids ascend, as those of tokens do. `base` is later in each run than all of the run before.
            Self::Insert => {
                "\\set base :base + 1\n\\set r random(1, 9000000000000000000)\n\
                 INSERT INTO token (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) VALUES \
                 (int8send(:base) || int8send(:r), 'a', int8send(:base) || int8send(:r), \
                 int8send(:r) || int8send(:r) || int8send(:r) || int8send(:r), 1, 0, NULL, :base);\n"
            }
            Self::Update => {
                "\\set n random(1, 100000)\n\
                 UPDATE token SET generation = generation + 1 WHERE id = int8send(:n) || int8send(:n);\n"
            }
        }
    }
}

impl<'c> Pgbench<'c> {
    /// `None` where the program is missing.
    pub(crate) fn prepare(cluster: &'c Cluster) -> anyhow::Result<Option<Self>> {
        let Some(directory) = std::env::var_os("JETON_TEST_PG_BIN") else {
            return Ok(None);
        };
        let program = PathBuf::from(directory).join("pgbench");
        if !program.is_file() {
            return Ok(None);
        }
        let database = cluster.create_database()?;
        database.execute(TABLE)?;
        Ok(Some(Self { program, database, scripts: jeton::data_directory()? }))
    }

    /// Runs the statement on so many connections.
    pub(crate) fn run(&self, statement: Statement, clients: usize, window: Window) -> anyhow::Result<Sample> {
        let script = self.scripts.path().join("script.sql");
        fs::write(&script, statement.script())?;
        let warm_up = whole_seconds(window.warm_up);
        let measure = whole_seconds(window.measure);
        let mut command = process::command(&self.program, None);
        command.args(["-n", "-M", "prepared", "-j", "2", "-P", "1", "-f"]).arg(&script);
        command.args(["-c", &clients.to_string(), "-D", &format!("base={}", base()?)]);
        // It is stopped when enough was seen.
        command.args(["-T", &(warm_up + measure + 60).to_string(), self.database.url()]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Process::start(&mut command).context("pgbench can't be started")?;
        let stderr = process.child().stderr.take().context("standard error is piped")?;
        let mut progress = BufReader::new(stderr).lines();
        let mut next = || loop {
            let line = progress.next().context("pgbench ended early")??;
            if let Some(tps) = Progress::read(&line) {
                ensure!(tps.failed == 0, "a transaction of pgbench failed: {line}");
                return Ok(tps);
            }
            if line.contains("error") {
                bail!("pgbench says: {line}");
            }
        };
        let mut last = next()?;
        for _ in 1..warm_up {
            last = next()?;
        }
        let meter = self.database.meter();
        let (began, before) = (now(), meter.and_then(Meter::read));
        let mut requests = 0.0;
        for _ in 0..measure {
            let progress = next()?;
            requests += progress.tps * (progress.at_s - last.at_s);
            last = progress;
        }
        let (elapsed, after) = (now() - began, meter.and_then(Meter::read));
        let database = after.zip(before).map(|(after, before)| after.since(&before));
        Ok(Sample { requests, connections: clients, elapsed, server: None, database, latency: None })
    }
}

/// A line that pgbench writes each second: `progress: 2.0 s, 15000.1 tps, lat 4.1 ms stddev 1.2, 0 failed`.
struct Progress {
    at_s: f64,
    tps: f64,
    failed: u64,
}

impl Progress {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("progress: ")?.split([' ', ',']).filter(|word| !word.is_empty());
        let at_s = words.next()?.parse().ok()?;
        let tps = words.nth(1)?.parse().ok()?;
        // Older versions do not count failures: there a failed transaction ends its client with an error.
        let failed = line.strip_suffix(" failed").and_then(|line| line.rsplit(' ').next()?.parse().ok());
        Some(Self { at_s, tps, failed: failed.unwrap_or(0) })
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "only has to be larger than in the run before")]
fn base() -> anyhow::Result<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())
}

//! The baseline of writes on SQLite: one connection that commits one row at a time, as durably as the server does.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::runtime::Builder;

use crate::generator::{Window, now};
use crate::jeton;
use crate::sample::Sample;

const TABLE: &str = "
    CREATE TABLE token (
        id BLOB PRIMARY KEY, kind TEXT NOT NULL, grant_id BLOB NOT NULL, digest BLOB NOT NULL,
        key_version INTEGER NOT NULL, generation BIGINT NOT NULL, scopes TEXT, issued_at BIGINT NOT NULL
    )";
const INSERT: &str = "INSERT INTO token (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) \
    VALUES ($1, 'a', $1, $2, 1, 0, NULL, $3)";

/// Runs statements on a file that a server has open.
pub(crate) fn execute(file: &Path, sql: &str) -> anyhow::Result<()> {
    let options = SqliteConnectOptions::new().filename(file).journal_mode(SqliteJournalMode::Wal);
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut connection = options.disable_statement_logging().connect().await?;
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await?;
        Ok(connection.close().await?)
    })
}

/// Commits rows into a new file, in the directory where the server keeps its own.
pub(crate) fn commits(window: Window) -> anyhow::Result<Sample> {
    let data = jeton::data_directory()?;
    let options = SqliteConnectOptions::new()
        .filename(data.path().join("commits.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut connection = options.connect().await?;
        connection.execute(TABLE).await?;
        let mut number: i64 = 0;
        let mut commit_for = async |time: Duration| {
            let (began, first) = (now(), number);
            while began.elapsed() < time {
                let id = [number.to_be_bytes(), number.to_be_bytes()].concat();
                sqlx::query(INSERT).bind(id).bind(&[7; 32][..]).bind(number).execute(&mut connection).await?;
                number += 1;
            }
            anyhow::Ok(((number - first) as f64, began.elapsed()))
        };
        commit_for(window.warm_up).await?;
        let (requests, elapsed) = commit_for(window.measure).await?;
        connection.close().await?;
        Ok(Sample { requests, connections: 1, elapsed, server: None, database: None, latency: None })
    })
}

//! Keeps table `revocation_log` short: what every node has applied, and is old enough for those who follow from outside.

use std::time::Duration;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;

/// The newest revision among the oldest rows that nobody needs any more.
static EDGE: Statement = Statement::both(
    "log_purge.edge",
    "SELECT MAX(seq) FROM (SELECT seq, at FROM revocation_log ORDER BY seq LIMIT $2) AS edge \
     WHERE at < $1 AND seq <= COALESCE((SELECT MIN(applied_seq) FROM node), seq)",
);
/// Whoever has applied less than this is told that it must start afresh.
static MARK: Statement =
    Statement::both("log_purge.mark", "UPDATE revocation_head SET purged_to = $1 WHERE id = 1 AND purged_to < $1");
static DELETE: Statement = Statement::both("log_purge.delete", "DELETE FROM revocation_log WHERE seq <= $1");

pub(super) const STATEMENTS: &[&Statement] = &[&EDGE, &MARK, &DELETE];

/// How long a follower from outside may be away and still go on where it was.
const KEEP: Duration = Duration::from_secs(600);
/// Rows that are looked at in one transaction, because it holds what every revocation needs.
const BATCH: i64 = 1_000;

impl Store {
    /// Returns after the last row that could go has gone. A node that is dead keeps the log until it is reaped.
    pub(super) async fn purge_log(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = now.minus(KEEP);
        let batch = || {
            self.database
                .transact("log_purge", move |mut db| Box::pin(async move { purge_batch(&mut db, before).await }))
        };
        while batch().await? {}
        Ok(())
    }
}

/// Whether there was something to delete.
async fn purge_batch(db: &mut Db<'_>, before: Timestamp) -> Result<bool, StoreError> {
    let (edge, mark, delete) = (db.sql(&EDGE), db.sql(&MARK), db.sql(&DELETE));
    let edge: Option<i64> =
        on_conn!(db, |conn| { sqlx::query_scalar(edge).bind(before.ms()).bind(BATCH).fetch_one(&mut **conn).await })?;
    let Some(edge) = edge else {
        return Ok(false);
    };
    for sql in [mark, delete] {
        on_conn!(db, |conn| sqlx::query(sql).bind(edge).execute(&mut **conn).await.map(drop))?;
    }
    Ok(true)
}

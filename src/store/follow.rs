//! The connection on which a node follows the revocation log: its own, so that no request can keep it waiting.

use std::fmt;
use std::time::Duration;

use sqlx::FromRow;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::database::Backend;
use super::open::begin_session;
use super::revision::LogKind;
use super::statement::Statement;
use super::warnings::Warnings;
use super::{Store, StoreError};
use crate::domain::grant::Revision;
use crate::domain::ids::NodeId;

/// The renewal is the catch-up read: one transaction, which begins after the call and is a write, so that a primary that
/// has lost its standbys can't grant it. All columns are of one snapshot.
static RENEW: Statement = Statement::each(
    "follow.renew",
    "",
    "WITH renewal AS (UPDATE node SET renewals = renewals + 1, applied_seq = $3 WHERE id = $1 AND incarnation = $2 \
     RETURNING renewals) \
     SELECT h.seq AS head, h.purged_to, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline, \
     (SELECT renewals FROM renewal) AS renewals, l.seq, l.kind, l.key, l.policy \
     FROM revocation_head h LEFT JOIN revocation_log l ON l.seq > $3 WHERE h.id = 1 ORDER BY l.seq LIMIT $4",
);
/// Tells what is so in memory whether or not it is on disk: it need not wait for the disk.
static ACKNOWLEDGE: Statement = Statement::each(
    "follow.acknowledge",
    "",
    "UPDATE node SET applied_seq = $3 WHERE id = $1 AND incarnation = $2 \
     AND set_config('synchronous_commit', 'off', true) = 'off'",
);

pub(super) const STATEMENTS: &[&Statement] = &[&RENEW, &ACKNOWLEDGE];

const DOORBELL: &str = "jeton_revocation";

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub revision: Revision,
    /// `None`: of a kind that this version does not know.
    pub kind: Option<LogKind>,
    pub key: [u8; 16],
    pub policy: String,
}

impl LogEntry {
    /// Of the columns of a row.
    pub(super) fn read(seq: i64, kind: Option<&str>, key: Option<Vec<u8>>, policy: Option<String>) -> Self {
        let key = key.unwrap_or_default();
        let kind = kind.and_then(LogKind::parse).filter(|_| key.len() == 16);
        let key = key.try_into().unwrap_or_default();
        Self { revision: Revision::new(seq), kind, key, policy: policy.unwrap_or_default() }
    }
}

/// What a renewal has brought.
#[derive(Clone, Debug)]
pub struct CatchUp {
    /// The newest revision of the snapshot.
    pub head: Revision,
    /// The history that PostgreSQL writes: it changes with each failover.
    pub timeline: String,
    /// The log above what was applied; `None` if it is too long, or not all there any more.
    pub entries: Option<Vec<LogEntry>>,
}

/// A connection to the primary that nothing else uses. Dropped after any error.
pub struct FollowerConnection {
    connection: PgListener,
    store: Store,
    doorbell: bool,
}

/// Beyond this it is cheaper to start afresh.
const MAX_ENTRIES: usize = 10_000;

#[derive(FromRow)]
struct Row {
    head: i64,
    purged_to: i64,
    timeline: String,
    renewals: Option<i64>,
    seq: Option<i64>,
    kind: Option<String>,
    key: Option<Vec<u8>>,
    policy: Option<String>,
}

impl Store {
    /// Connects. `None` on SQLite, where there is nobody to follow.
    pub(crate) async fn connect_follower(&self, timeout: Duration) -> Result<Option<FollowerConnection>, StoreError> {
        let Backend::Postgres(requests) = &self.database.backend else {
            return Ok(None);
        };
        let (doorbell, ha) = (self.database.doorbell, self.database.warnings.is_some());
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_connect(move |conn, _| Box::pin(begin_session(conn, ha)))
            .connect_lazy_with((*requests.connect_options()).clone());
        let mut connection = PgListener::connect_with(&own).await?;
        // A lost connection must be seen here: what rang meanwhile is lost with it.
        connection.eager_reconnect(false);
        connection.ignore_pool_close_event(true);
        if doorbell {
            connection.listen(DOORBELL).await?;
        }
        Ok(Some(FollowerConnection { connection, store: self.clone(), doorbell }))
    }
}

impl fmt::Debug for FollowerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowerConnection").field("doorbell", &self.doorbell).finish_non_exhaustive()
    }
}

impl FollowerConnection {
    /// Renews the node's row and reads what it has not applied. `None` if the row is gone.
    ///
    /// # Errors
    /// Any: then nothing was granted, and the connection is to be dropped.
    pub(crate) async fn renew(
        &mut self,
        node: NodeId,
        incarnation: i64,
        applied: Revision,
    ) -> Result<Option<CatchUp>, StoreError> {
        // What rings from now on is heard after this; what has rung is answered by it.
        while self.connection.next_buffered().is_some() {}
        let sql = self.store.count(&RENEW);
        let limit = i64::try_from(MAX_ENTRIES + 1).unwrap_or(i64::MAX);
        let query = sqlx::query_as(sql).bind(&node.as_bytes()[..]).bind(incarnation).bind(applied.value()).bind(limit);
        // To the very end of the answer, which is where a commit that has failed is told.
        let rows = query.fetch_all(&mut self.connection);
        let (rows, warned) = match &self.store.database.warnings {
            Some(warnings) => Warnings::watch(warnings, rows).await,
            None => (rows.await, false),
        };
        if warned {
            return Err(StoreError::OutcomeUnknown(None));
        }
        read(rows?, applied)
    }

    /// Writes that everything up to `applied` is in force here.
    ///
    /// # Errors
    /// Any: the connection is to be dropped.
    pub(crate) async fn acknowledge(
        &mut self,
        node: NodeId,
        incarnation: i64,
        applied: Revision,
    ) -> Result<(), StoreError> {
        let sql = self.store.count(&ACKNOWLEDGE);
        let query = sqlx::query(sql).bind(&node.as_bytes()[..]).bind(incarnation).bind(applied.value());
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Returns when the doorbell rings; never without one.
    ///
    /// # Errors
    /// When the connection is lost: it is to be dropped.
    pub(crate) async fn rung(&mut self) -> Result<(), StoreError> {
        if !self.doorbell {
            return std::future::pending().await;
        }
        match self.connection.try_recv().await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(StoreError::Unavailable(None)),
            Err(error) => Err(error.into()),
        }
    }
}

fn read(rows: Vec<Row>, applied: Revision) -> Result<Option<CatchUp>, StoreError> {
    let first = rows.first().ok_or(StoreError::Corrupt("table without its row"))?;
    if first.renewals.is_none() {
        return Ok(None);
    }
    let (head, timeline) = (Revision::new(first.head), first.timeline.clone());
    let complete = first.purged_to <= applied.value() && head >= applied && rows.len() <= MAX_ENTRIES;
    let entries =
        rows.into_iter().filter_map(|row| Some(LogEntry::read(row.seq?, row.kind.as_deref(), row.key, row.policy)));
    Ok(Some(CatchUp { head, timeline, entries: complete.then(|| entries.collect()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(head: i64, purged_to: i64, entry: Option<(i64, &str)>) -> Row {
        Row {
            head,
            purged_to,
            timeline: "00000001".to_owned(),
            renewals: Some(1),
            seq: entry.map(|(seq, _)| seq),
            kind: entry.map(|(_, kind)| kind.to_owned()),
            key: entry.map(|_| vec![7; 16]),
            policy: entry.map(|_| String::new()),
        }
    }

    fn entries(rows: Vec<Row>, applied: i64) -> Option<Vec<LogEntry>> {
        read(rows, Revision::new(applied)).unwrap().unwrap().entries
    }

    #[test]
    fn a_node_that_is_not_known_catches_up_on_nothing() {
        assert!(read(vec![Row { renewals: None, ..row(5, 0, None) }], Revision::new(5)).unwrap().is_none());
    }

    #[test]
    fn a_log_that_was_purged_or_has_gone_back_is_no_log_to_catch_up_with() {
        assert_eq!(entries(vec![row(5, 0, None)], 5), Some(Vec::new()));
        assert_eq!(entries(vec![row(9, 6, Some((9, "grant")))], 5), None);
        assert_eq!(entries(vec![row(4, 0, None)], 5), None);
    }

    #[test]
    fn what_a_newer_version_has_logged_is_told_as_unknown() {
        let read = entries(vec![row(7, 0, Some((6, "grant"))), row(7, 0, Some((7, "quota")))], 5).unwrap();
        assert_eq!(read.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [Some(LogKind::Grant), None]);
    }
}

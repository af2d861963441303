//! Tables `revocation_head` and `revocation_log`: the commit-ordered log of revocations.
//!
//! The sequence is taken by updating one row, whose lock holds until the commit: numbers become visible in the order
//! in which they were given out. A serial column would lose revocations for a reader that follows it.

use std::collections::HashMap;

use super::database::{Db, DbConn};
use super::group_read::{Found, Lookup};
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::grant::Revision;
use crate::domain::ids::{NodeId, WorkspaceId};
#[cfg(jeton_mutants)]
use crate::domain::mutant::{self, Mutant};

/// PostgreSQL: `head` is the next revision, whose entries are an array a column.
macro_rules! append {
    () => {
        "WITH head AS (UPDATE revocation_head SET seq = seq + 1 WHERE id = 1 RETURNING seq), logged AS (\
         INSERT INTO revocation_log (seq, kind, key, policy, at, workspace) SELECT head.seq, entry.* FROM head, \
         UNNEST($1::text[], $2::bytea[], $3::text[], $4::bigint[], $5::bytea[]) AS entry ON CONFLICT DO NOTHING) "
    };
}

/// PostgreSQL: from here on everybody who revokes waits for this transaction. If its node is cut off before it commits,
/// they are not kept longer than this.
macro_rules! hurry {
    () => {
        "LATERAL (SELECT set_config('idle_in_transaction_session_timeout', '1s', true)) AS hurry"
    };
}

pub(super) use hurry;

/// Takes the next revision and writes its entries. On PostgreSQL it rings the doorbell of every node as well: they hear
/// it when the transaction has committed. Only a doorbell: it carries nothing, and nothing depends on its being heard.
static APPEND: Statement = Statement::each(
    "revision.append",
    "",
    concat!(
        append!(),
        "SELECT head.seq FROM head, LATERAL (SELECT pg_notify('jeton_revocation', '')) AS doorbell, ",
        hurry!()
    ),
);
/// Where the database or what is before it has no LISTEN.
static APPEND_SILENTLY: Statement =
    Statement::each("revision.append_silently", "", concat!(append!(), "SELECT head.seq FROM head, ", hurry!()));
/// The mutant's: the number of the transaction, which is given out with its first write, so that one that commits later may have a
/// lower number.
#[cfg(jeton_mutants)]
static APPEND_SERIALLY: Statement = Statement::each(
    "revision.append_serially",
    "",
    concat!(
        "WITH head AS (UPDATE revocation_head SET seq = GREATEST(seq, pg_current_xact_id()::text::bigint) WHERE id = 1 \
         RETURNING pg_current_xact_id()::text::bigint AS seq), logged AS (\
         INSERT INTO revocation_log (seq, kind, key, policy, at, workspace) SELECT head.seq, entry.* FROM head, \
         UNNEST($1::text[], $2::bytea[], $3::text[], $4::bigint[], $5::bytea[]) AS entry ON CONFLICT DO NOTHING) \
         SELECT head.seq FROM head, LATERAL (SELECT pg_notify('jeton_revocation', '')) AS doorbell, ",
        hurry!()
    ),
);
static ADVANCE: Statement =
    Statement::each("revision.advance", "UPDATE revocation_head SET seq = seq + 1 WHERE id = 1 RETURNING seq", "");
static LOG: Statement = Statement::each(
    "revision.log",
    "INSERT INTO revocation_log (seq, kind, key, policy, at, workspace) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT DO NOTHING",
    "",
);
/// Writes nothing new, but waits for every transaction that has taken a revision and is not finished.
static BARRIER: Statement = Statement::each(
    "revision.barrier",
    "UPDATE revocation_head SET seq = seq WHERE id = 1 RETURNING seq",
    concat!(
        "WITH head AS (UPDATE revocation_head SET seq = seq WHERE id = 1 RETURNING seq) SELECT head.seq FROM head, ",
        hurry!()
    ),
);
static HEAD: Statement = Statement::both("revision.head", "SELECT seq FROM revocation_head WHERE id = 1");
pub(super) const STATEMENTS: &[&Statement] = &[
    &APPEND,
    &APPEND_SILENTLY,
    #[cfg(jeton_mutants)]
    &APPEND_SERIALLY,
    &ADVANCE,
    &LOG,
    &BARRIER,
    &HEAD,
];

pub(super) async fn head(db: &mut Db<'_>) -> Result<Revision, StoreError> {
    let sql = db.sql(&HEAD);
    let seq: i64 = on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_one(&mut **conn).await)?;
    Ok(Revision::new(seq))
}

/// What a log entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    Grant,
    CutOff,
    Changed,
    Catalog,
    /// Nothing: a node measures how fast the log is followed.
    Probe,
}

impl LogKind {
    const ALL: [Self; 5] = [Self::Grant, Self::CutOff, Self::Changed, Self::Catalog, Self::Probe];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::CutOff => "cutoff",
            Self::Changed => "changed",
            Self::Catalog => "catalog",
            Self::Probe => "probe",
        }
    }

    /// `None` for a kind that a newer version writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What one revocation leaves in the log.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub kind: LogKind,
    pub key: &'a [u8; 16],
    pub policy: &'a str,
    pub at: Timestamp,
    /// Whose it is; `None` for what revokes nothing.
    pub workspace: Option<WorkspaceId>,
}

/// Writes all `entries` under the next revision. The last thing a transaction does that others wait for.
pub(super) async fn append(db: &mut Db<'_>, entries: &[Entry<'_>]) -> Result<Revision, StoreError> {
    let seq: i64 = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            db.counters.count(&ADVANCE);
            let seq = sqlx::query_scalar(ADVANCE.sqlite).fetch_one(&mut **conn).await?;
            db.counters.count(&LOG);
            for Entry { kind, key, policy, at, workspace } in entries {
                let query = sqlx::query(LOG.sqlite).bind(seq).bind(kind.as_str()).bind(&key[..]);
                let query = query.bind(*policy).bind(at.ms()).bind(workspace.as_ref().map(|id| &id.as_bytes()[..]));
                query.execute(&mut **conn).await?;
            }
            seq
        }
        DbConn::Postgres(conn) => {
            let statement = if db.doorbell { &APPEND } else { &APPEND_SILENTLY };
            #[cfg(jeton_mutants)]
            let statement = if mutant::is(Mutant::NumbersNotInCommitOrder) { &APPEND_SERIALLY } else { statement };
            db.counters.count(statement);
            sqlx::query_scalar(statement.postgres)
                .bind(entries.iter().map(|entry| entry.kind.as_str()).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| &entry.key[..]).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| entry.policy).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| entry.at.ms()).collect::<Vec<_>>())
                .bind(entries.iter().map(|entry| entry.workspace.map(|id| id.as_bytes().to_vec())).collect::<Vec<_>>())
                .fetch_one(&mut **conn)
                .await?
        }
    };
    Ok(Revision::new(seq))
}

/// Waits for every transaction that has taken a revision, and keeps others from taking one until the end of this one.
pub(super) async fn lock_head(db: &mut Db<'_>) -> Result<Revision, StoreError> {
    let sql = db.sql(&BARRIER);
    let seq: i64 = on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_one(&mut **conn).await)?;
    Ok(Revision::new(seq))
}

/// The newest revision, for everybody who asks at the same moment.
pub(super) struct HeadLookup;

impl Lookup for HeadLookup {
    type Key = ();
    type Value = Revision;

    async fn read(db: &mut Db<'_>, _: &[()]) -> Result<Found<Self>, StoreError> {
        Ok(HashMap::from([((), Ok(head(db).await?))]))
    }
}

impl Store {
    /// Makes a revision that revokes nothing.
    pub(crate) async fn probe(&self, node: NodeId, now: Timestamp) -> Result<Revision, StoreError> {
        self.database
            .transact("revision.probe", move |mut db| {
                Box::pin(async move {
                    let (kind, key) = (LogKind::Probe, node.as_bytes());
                    append(&mut db, &[Entry { kind, key, policy: "", at: now, workspace: None }]).await
                })
            })
            .await
    }

    /// The newest revision, by a read that begins after this call and serves all who call at the same moment.
    pub(crate) async fn confirmed_head(&self) -> Result<Revision, StoreError> {
        self.heads.find(()).await?.ok_or(StoreError::Corrupt("table without its row"))
    }

    /// Returns once every revocation that was under way is committed or will never be.
    pub(crate) async fn barrier(&self) -> Result<Revision, StoreError> {
        self.database.transact("revision.barrier", |mut db| Box::pin(async move { lock_head(&mut db).await })).await
    }

    /// The newest committed revision.
    pub(crate) async fn head(&self) -> Result<Revision, StoreError> {
        self.database.read(|mut db| Box::pin(async move { head(&mut db).await })).await
    }
}

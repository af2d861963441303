//! Tables `event` and `event_head`: which acts others are told of, and in which order.
//!
//! The order in which rows are written is not the one in which they are committed: whoever reads up to the newest would miss one that
//! was older and still under way. So a row is numbered afterwards, by a transaction that holds the head until its own commit: numbers
//! become visible in their order, and nothing below one that was seen ever appears.

use std::sync::LazyLock;

use sqlx::FromRow;

use super::audit::AuditEvent;
use super::audit_query::{self, AuditRow};
use super::database::{Db, DbConn};
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::event::EventKind;
use crate::domain::ids::{AuditId, WorkspaceId};

/// PostgreSQL: of the acts whose columns [`super::audit::bind_all`] gives as the first eight parameters, those with an action
/// that is among [`ACTIONS`], the parameter of this number.
macro_rules! event_insert {
    ($actions:literal) => {
        concat!(
            "INSERT INTO event (id, workspace_id, action) SELECT id, workspace_id, action FROM \
             UNNEST($1::bytea[], $3::bytea[], $4::text[]) AS act (id, workspace_id, action) WHERE action = ANY($",
            $actions,
            ")"
        )
    };
}
pub(super) use event_insert;

static INSERT: Statement =
    Statement::each("event.insert", "INSERT INTO event (id, workspace_id, action) VALUES ($1, $2, $3)", "");
static WAITING: Statement = Statement::both("event.waiting", "SELECT id FROM event WHERE seq IS NULL LIMIT 1");
static HOLD: Statement = Statement::each(
    "event.hold",
    "SELECT seq FROM event_head WHERE id = 1",
    "SELECT seq FROM event_head WHERE id = 1 FOR UPDATE",
);
/// In the order of writing: an act on something that another act has changed was written after that one's commit.
static NUMBER: Statement = Statement::both(
    "event.number",
    "UPDATE event SET seq = $1 + n.place FROM (SELECT id AS numbered, ROW_NUMBER() OVER (ORDER BY ord) AS place FROM event \
     WHERE seq IS NULL ORDER BY ord LIMIT $2) AS n WHERE event.id = n.numbered",
);
static ADVANCE: Statement = Statement::both("event.advance", "UPDATE event_head SET seq = seq + $1 WHERE id = 1");
static FIND: Statement =
    Statement::both("event.find", "SELECT seq FROM event WHERE id = $1 AND workspace_id = $2 AND seq IS NOT NULL");
static LIST: Statement = Statement::both(
    "event.list",
    "SELECT e.id, e.seq, e.action, a.at, a.actor, a.target, a.request_id, a.detail FROM event e \
     JOIN audit_event a ON a.id = e.id WHERE e.workspace_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &WAITING, &HOLD, &NUMBER, &ADVANCE, &FIND, &LIST];

/// The actions that are events.
pub(super) static ACTIONS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| EventKind::ALL.iter().map(|kind| kind.action()).collect());

/// One transaction numbers no more than this: it keeps others who number waiting, and on SQLite all who write.
const BATCH: i64 = 1_000;

/// Where a reader of a workspace's events is: after the event of this number. Numbers grow over all workspaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventSeq(i64);

impl EventSeq {
    /// Before the first.
    pub const START: Self = Self(0);

    pub(super) const fn from_column(value: i64) -> Self {
        Self(value)
    }

    pub(super) const fn column(self) -> i64 {
        self.0
    }
}

/// An event, as it was written.
#[derive(Clone, Debug)]
pub struct EventRow {
    pub seq: EventSeq,
    pub kind: EventKind,
    pub act: AuditRow,
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    #[sqlx(flatten)]
    act: audit_query::Row,
}

impl TryFrom<Row> for EventRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let act = AuditRow::try_from(row.act)?;
        Ok(Self { seq: EventSeq(row.seq), kind: decode::word(&act.action, EventKind::of_action)?, act })
    }
}

/// SQLite: those of `acts` that are events.
pub(super) async fn insert(db: &mut Db<'_>, acts: &[&AuditEvent]) -> Result<(), StoreError> {
    for act in acts.iter().filter(|act| is_event(act)) {
        let sql = db.sql(&INSERT);
        let (id, workspace): (&[u8], &[u8]) = (act.id.as_bytes(), act.workspace.as_bytes());
        if let DbConn::Sqlite(conn) = &mut db.conn {
            sqlx::query(sql).bind(id).bind(workspace).bind(act.action).execute(&mut **conn).await?;
        }
    }
    Ok(())
}

pub(super) fn is_event(act: &AuditEvent) -> bool {
    EventKind::of_action(act.action).is_some()
}

/// Numbers some of what is committed; returns how many.
async fn number(db: &mut Db<'_>) -> Result<u64, StoreError> {
    let (hold, number, advance) = (db.sql(&HOLD), db.sql(&NUMBER), db.sql(&ADVANCE));
    Ok(on_conn!(db, |conn| {
        let last: i64 = sqlx::query_scalar(hold).fetch_one(&mut **conn).await?;
        let numbered = sqlx::query(number).bind(last).bind(BATCH).execute(&mut **conn).await?.rows_affected();
        sqlx::query(advance).bind(numbered.cast_signed()).execute(&mut **conn).await?;
        numbered
    }))
}

impl Store {
    /// Puts all that is committed now into its order.
    pub(crate) async fn number_events(&self) -> Result<(), StoreError> {
        let waiting = async |store: &Self| {
            let read = store.database.read(|mut db| {
                Box::pin(async move {
                    let sql = db.sql(&WAITING);
                    let first = on_conn!(db, |conn| sqlx::query(sql).fetch_optional(&mut **conn).await?.is_some());
                    Ok(first)
                })
            });
            read.await
        };
        if !waiting(self).await? {
            return Ok(());
        }
        let mut full = true;
        while full {
            let numbered =
                self.database.transact("event.number", |mut db| Box::pin(async move { number(&mut db).await })).await?;
            full = numbered == BATCH.unsigned_abs();
        }
        Ok(())
    }

    /// Where the event of this id stands; `None` for one that is not, or no longer, kept.
    pub(crate) async fn find_event(&self, workspace: WorkspaceId, id: AuditId) -> Result<Option<EventSeq>, StoreError> {
        let found: Option<i64> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND);
                    let (id, workspace): (&[u8], &[u8]) = (id.as_bytes(), workspace.as_bytes());
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_scalar(sql).bind(id).bind(workspace).fetch_optional(&mut **conn).await
                    })?)
                })
            })
            .await?;
        Ok(found.map(EventSeq))
    }

    /// The events of a workspace that follow, in their order.
    pub(crate) async fn list_events(
        &self,
        workspace: WorkspaceId,
        after: EventSeq,
        limit: u32,
    ) -> Result<Vec<EventRow>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let workspace: &[u8] = workspace.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query_as(sql).bind(workspace).bind(after.0).bind(i64::from(limit));
                        query.fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

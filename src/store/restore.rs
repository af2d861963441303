//! The one transaction that follows a restore from a backup.

use std::sync::Arc;

use super::audit::{self, AuditEvent};
use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::grant::Revision;
use crate::domain::ids::WorkspaceId;

/// Deleted ones too: they may have been restored.
static WORKSPACES: Statement = Statement::both("restore.workspaces", "SELECT id FROM workspace ORDER BY id");
/// Whoever has followed the log before can't go on where it was.
static ADVANCE: Statement =
    Statement::both("restore.advance", "UPDATE revocation_head SET seq = $1, purged_to = $1 WHERE id = 1");
/// Every grant belongs to a workspace, and is older than this.
static CUT_OFF: Statement = Statement::both(
    "restore.cut_off",
    "INSERT INTO cutoff (subject, policy, revision, at, raised_by) SELECT id, '', $1, $2, 'system' FROM workspace \
     WHERE id IS NOT NULL ON CONFLICT (subject, policy) \
     DO UPDATE SET revision = excluded.revision, at = excluded.at, raised_by = excluded.raised_by",
);
static COUNT_SESSIONS: Statement = Statement::both("restore.count_sessions", "SELECT COUNT(*) FROM console_session");
static END_SESSIONS: Statement = Statement::both("restore.end_sessions", "DELETE FROM console_session");
static FORGET_LINKS: Statement = Statement::both("restore.forget_links", "DELETE FROM password_link");
/// A node that still runs finds its row gone, drops what it keeps, and joins again.
static FORGET_NODES: Statement = Statement::both("restore.forget_nodes", "DELETE FROM node");

pub(super) const STATEMENTS: &[&Statement] =
    &[&WORKSPACES, &ADVANCE, &CUT_OFF, &COUNT_SESSIONS, &END_SESSIONS, &FORGET_LINKS, &FORGET_NODES];

/// What is to be true after a restore.
#[derive(Clone, Debug)]
pub struct AfterRestore {
    /// Where the log goes on.
    pub revision: Revision,
    /// Whether every grant that is there is dead.
    pub cut_off: bool,
    pub at: Timestamp,
    pub audit: Vec<AuditEvent>,
}

async fn write(db: &mut Db<'_>, after: &AfterRestore) -> Result<u64, StoreError> {
    let (advance, cut_off) = (db.sql(&ADVANCE), db.sql(&CUT_OFF));
    let revision = after.revision.value();
    on_conn!(db, |conn| sqlx::query(advance).bind(revision).execute(&mut **conn).await.map(drop))?;
    if after.cut_off {
        on_conn!(db, |conn| {
            sqlx::query(cut_off).bind(revision).bind(after.at.ms()).execute(&mut **conn).await.map(drop)
        })?;
    }
    for forgotten in [&FORGET_LINKS, &FORGET_NODES] {
        let sql = db.sql(forgotten);
        on_conn!(db, |conn| sqlx::query(sql).execute(&mut **conn).await.map(drop))?;
    }
    audit::insert(db, &after.audit.iter().collect::<Vec<_>>()).await?;
    let sql = db.sql(&END_SESSIONS);
    Ok(on_conn!(db, |conn| sqlx::query(sql).execute(&mut **conn).await.map(|done| done.rows_affected()))?)
}

impl Store {
    /// Every workspace that there ever was.
    pub(crate) async fn list_all_workspaces(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        let ids: Vec<Vec<u8>> = self
            .database
            .read(|mut db| {
                Box::pin(async move {
                    let sql = db.sql(&WORKSPACES);
                    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_all(&mut **conn).await)?)
                })
            })
            .await?;
        ids.iter().map(|id| decode::id_bytes(id).map(WorkspaceId::from_bytes)).collect()
    }

    pub(crate) async fn count_console_sessions(&self) -> Result<u64, StoreError> {
        let count: i64 = self
            .database
            .read(|mut db| {
                Box::pin(async move {
                    let sql = db.sql(&COUNT_SESSIONS);
                    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_one(&mut **conn).await)?)
                })
            })
            .await?;
        u64::try_from(count).ok().ok_or(StoreError::Corrupt("count"))
    }

    /// Returns once it is durable, and how many sessions of the console it has ended. Only while nobody serves from this
    /// database.
    pub(crate) async fn restored(&self, after: AfterRestore) -> Result<u64, StoreError> {
        let after = Arc::new(after);
        self.database
            .transact("store.restored", move |mut db| {
                let after = Arc::clone(&after);
                Box::pin(async move { write(&mut db, &after).await })
            })
            .await
    }
}

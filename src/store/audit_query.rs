//! Reads the audit: a workspace's own rows, newest first.

use sqlx::FromRow;

use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{AuditId, WorkspaceId};

/// `$5` to `$8` are lists: a value with a line break on each side of it. An empty one lets everything through.
macro_rules! list {
    ($within:literal) => {
        concat!(
            "SELECT id, at, action, actor, target, request_id, detail FROM audit_event \
             WHERE workspace_id = $1 AND (at, id) < ($2, $3) AND at > $4 AND ($5 = '' OR ",
            $within,
            "($5, '\n' || action || '\n') > 0) AND ($6 = '' OR ",
            $within,
            "($6, '\n' || actor || '\n') > 0) AND ($7 = '' OR ",
            $within,
            "($7, '\n' || target || '\n') > 0) AND ($8 = '' OR ",
            $within,
            "($8, '\n' || request_id || '\n') > 0) ORDER BY at DESC, id DESC LIMIT $9"
        )
    };
}

static LIST: Statement = Statement::each("audit.list", list!("INSTR"), list!("STRPOS"));

pub(super) const STATEMENTS: &[&Statement] = &[&LIST];

/// Which rows a list shows. What is empty or `None` does not choose; of several values any may match.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub actions: Vec<String>,
    pub actors: Vec<String>,
    pub targets: Vec<String>,
    pub request_ids: Vec<String>,
    pub after: Option<Timestamp>,
    pub before: Option<Timestamp>,
}

/// Where a page of the audit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditCursor {
    pub at: Timestamp,
    pub id: AuditId,
}

impl AuditCursor {
    pub const START: Self = Self { at: Timestamp::from_ms(i64::MAX), id: AuditId::from_bytes([0xff; 16]) };

    /// Only what happened before `moment` follows.
    #[must_use]
    pub const fn before(moment: Timestamp) -> Self {
        Self { at: moment, id: AuditId::from_bytes([0; 16]) }
    }
}

/// One act, as it was written.
#[derive(Clone, Debug)]
pub struct AuditRow {
    pub id: AuditId,
    pub at: Timestamp,
    pub action: String,
    pub actor: String,
    pub target: String,
    pub request_id: Option<String>,
    pub detail: Option<serde_json::Value>,
}

#[derive(FromRow)]
pub(super) struct Row {
    id: Vec<u8>,
    at: i64,
    action: String,
    actor: String,
    target: String,
    request_id: Option<String>,
    detail: Option<String>,
}

impl TryFrom<Row> for AuditRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let detail = row.detail.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            id: AuditId::from_bytes(decode::id_bytes(&row.id)?),
            at: Timestamp::from_ms(row.at),
            action: row.action,
            actor: row.actor,
            target: row.target,
            request_id: row.request_id,
            detail: detail.ok().ok_or(StoreError::Corrupt("audit detail"))?,
        })
    }
}

/// The values as the statement takes them. None of them has a line break in it.
fn among(values: &[String]) -> String {
    if values.is_empty() { String::new() } else { format!("\n{}\n", values.join("\n")) }
}

impl Store {
    /// What was done in a workspace, newest first.
    pub(crate) async fn list_audit(
        &self,
        workspace: WorkspaceId,
        filter: &AuditFilter,
        after: AuditCursor,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let start = filter.before.map_or(after, |moment| after.min(AuditCursor::before(moment)));
        let from = filter.after.map_or(i64::MIN, Timestamp::ms);
        let lists = [&filter.actions, &filter.actors, &filter.targets, &filter.request_ids].map(|values| among(values));
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                let [actions, actors, targets, request_ids] = lists.clone();
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let (workspace, last): (&[u8], &[u8]) = (workspace.as_bytes(), start.id.as_bytes());
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql)
                        .bind(workspace)
                        .bind(start.at.ms())
                        .bind(last)
                        .bind(from)
                        .bind(&actions)
                        .bind(&actors)
                        .bind(&targets)
                        .bind(&request_ids)
                        .bind(i64::from(limit))
                        .fetch_all(&mut **conn)
                        .await)?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

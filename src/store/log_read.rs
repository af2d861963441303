//! Table `revocation_log` as those read it who pass it on: what was revoked, and whose it is.

use sqlx::FromRow;

use super::follow::LogEntry;
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::grant::Revision;
use crate::domain::ids::WorkspaceId;

static SLICE: Statement = Statement::both(
    "log_read.slice",
    "SELECT h.purged_to, l.seq, l.kind, l.key, l.policy, l.workspace FROM revocation_head h \
     LEFT JOIN revocation_log l ON l.seq > $1 AND l.seq <= $2 AND l.kind <> 'probe' \
     WHERE h.id = 1 ORDER BY l.seq LIMIT $3",
);

pub(super) const STATEMENTS: &[&Statement] = &[&SLICE];

/// One row of the log, and whose it is; `None` where an older version has written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedEntry {
    pub entry: LogEntry,
    pub workspace: Option<WorkspaceId>,
}

/// More rows than these are not passed on one by one.
const MAX_ENTRIES: usize = 10_000;

#[derive(FromRow)]
struct Row {
    purged_to: i64,
    seq: Option<i64>,
    kind: Option<String>,
    key: Option<Vec<u8>>,
    policy: Option<String>,
    workspace: Option<Vec<u8>>,
}

impl Store {
    /// What was revoked after `after`, up to `to` inclusive, without probes. `None` if that is too much, or not all there
    /// any more.
    pub(crate) async fn read_log(&self, after: Revision, to: Revision) -> Result<Option<Vec<OwnedEntry>>, StoreError> {
        let limit = i64::try_from(MAX_ENTRIES + 1).unwrap_or(i64::MAX);
        let rows: Vec<Row> = self
            .database
            .read(|mut db| {
                Box::pin(async move {
                    let sql = db.sql(&SLICE);
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query_as(sql).bind(after.value()).bind(to.value()).bind(limit);
                        query.fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        let purged_to = rows.first().ok_or(StoreError::Corrupt("table without its row"))?.purged_to;
        if purged_to > after.value() || rows.len() > MAX_ENTRIES {
            return Ok(None);
        }
        let entries = rows.into_iter().filter_map(|row| {
            let entry = LogEntry::read(row.seq?, row.kind.as_deref(), row.key, row.policy);
            let workspace = row.workspace.map(|id| decode::id_bytes(&id).map(WorkspaceId::from_bytes)).transpose();
            Some(workspace.map(|workspace| OwnedEntry { entry, workspace }))
        });
        entries.collect::<Result<Vec<_>, _>>().map(Some)
    }
}

//! How many tokens live, by policy: counted in steps along the primary key, each of a bounded number of rows.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, WorkspaceId};

static END: Statement =
    Statement::both("census.end", "SELECT id FROM grant_ WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2");
/// The same condition as that of a mass revocation (`reach`): alive now.
static STEP: Statement = Statement::both(
    "census.step",
    "SELECT g.workspace_id, g.policy, COUNT(*) AS live, \
     COUNT(CASE WHEN COALESCE(g.expires_at, i.deadline) <= $4 THEN 1 END) AS ending FROM grant_ g \
     LEFT JOIN legacy_import i ON i.id = g.import_id WHERE g.id > $1 AND g.id <= $2 AND g.state = 'active' \
     AND g.deleted_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $3) \
     AND (g.import_id IS NULL OR i.deadline > $3) AND g.revision >= COALESCE((SELECT MAX(k.revision) FROM cutoff k \
     WHERE k.subject IN (g.workspace_id, g.user_id, g.client_key, g.import_id) AND k.policy IN ('', g.policy)), 0) \
     GROUP BY g.workspace_id, g.policy",
);

pub(super) const STATEMENTS: &[&Statement] = &[&END, &STEP];

/// Rows of one step: a few milliseconds.
pub(crate) const STEP_ROWS: u32 = 2_000;

/// Live tokens of a workspace under a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveShare {
    pub workspace: WorkspaceId,
    pub policy: String,
    pub live: u64,
    /// Those of them that end by a given moment.
    pub ending: u64,
}

/// One step of a count.
#[derive(Clone, Debug)]
pub struct CensusStep {
    pub shares: Vec<LiveShare>,
    /// Where the next step begins; `None` after the last one.
    pub next: Option<GrantId>,
}

#[derive(FromRow)]
struct Row {
    workspace_id: Vec<u8>,
    policy: String,
    live: i64,
    ending: i64,
}

impl TryFrom<Row> for LiveShare {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            workspace: workspace::id(&row.workspace_id)?,
            policy: row.policy,
            live: row.live.unsigned_abs(),
            ending: row.ending.unsigned_abs(),
        })
    }
}

async fn step(db: &mut Db<'_>, after: GrantId, now: Timestamp, soon: Timestamp) -> Result<CensusStep, StoreError> {
    let sql = db.sql(&END);
    let first: &[u8] = after.as_bytes();
    let end: Option<Vec<u8>> = on_conn!(db, |conn| {
        let query = sqlx::query_scalar(sql).bind(first).bind(i64::from(STEP_ROWS) - 1);
        query.fetch_optional(&mut **conn).await
    })?;
    let next = end.as_deref().map(decode::id_bytes).transpose()?.map(GrantId::from_bytes);
    let last = next.unwrap_or(GrantId::from_bytes([0xff; 16]));
    let sql = db.sql(&STEP);
    let last: &[u8] = last.as_bytes();
    let rows: Vec<Row> = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(first).bind(last).bind(now.ms()).bind(soon.ms());
        query.fetch_all(&mut **conn).await
    })?;
    Ok(CensusStep { shares: rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?, next })
}

impl Store {
    /// Counts the next grants after `after` that live at `now`, and those of them that end by `soon`.
    pub(crate) async fn count_live(
        &self,
        after: GrantId,
        now: Timestamp,
        soon: Timestamp,
    ) -> Result<CensusStep, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { step(&mut db, after, now, soon).await })).await
    }
}

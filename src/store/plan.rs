//! Table `plan`: a workspace's usage limits. A deleted one keeps its row, so that its name is never given out again.

use sqlx::FromRow;

use super::database::{Db, DbConn};
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{PlanId, WorkspaceId};
use crate::domain::lifetime::Lifetime;
use crate::domain::plan::{Plan, Quota};

macro_rules! plan_select {
    () => {
        "SELECT id, workspace_id, name, requests, period_s, apis, created_at, version FROM plan WHERE deleted_at IS NULL AND "
    };
}

static INSERT: Statement = Statement::both(
    "plan.insert",
    "INSERT INTO plan (id, workspace_id, name, requests, period_s, apis, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)",
);
static FIND: Statement = Statement::both("plan.find", concat!(plan_select!(), "id = $1 AND workspace_id = $2"));
static LIST: Statement = Statement::both(
    "plan.list",
    concat!(
        plan_select!(),
        "workspace_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4"
    ),
);
static ALL: Statement = Statement::each(
    "plan.all",
    concat!(plan_select!(), "workspace_id = $1"),
    concat!(plan_select!(), "workspace_id = ANY($1)"),
);
static COUNT: Statement =
    Statement::both("plan.count", "SELECT COUNT(*) FROM plan WHERE workspace_id = $1 AND deleted_at IS NULL");
static NAMED: Statement =
    Statement::both("plan.named", "SELECT COUNT(*) FROM plan WHERE workspace_id = $1 AND name = $2");
static UPDATE: Statement = Statement::both(
    "plan.update",
    "UPDATE plan SET requests = $3, period_s = $4, apis = $5, version = version + 1 \
     WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
);
static DELETE: Statement = Statement::both(
    "plan.delete",
    "UPDATE plan SET deleted_at = $2, version = version + 1 WHERE id = $1 AND deleted_at IS NULL",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND, &LIST, &ALL, &COUNT, &NAMED, &UPDATE, &DELETE];

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    name: String,
    requests: i64,
    period_s: i64,
    apis: Option<String>,
    created_at: i64,
    version: i64,
}

impl TryFrom<Row> for Plan {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let apis: Vec<String> = decode::json(row.apis.as_deref())?;
        Ok(Self {
            id: PlanId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: workspace::id(&row.workspace_id)?,
            name: row.name.parse().ok().ok_or(StoreError::Corrupt("name"))?,
            quota: quota(row.requests, row.period_s).ok_or(StoreError::Corrupt("quota"))?,
            apis: apis
                .iter()
                .map(|name| name.parse().ok().ok_or(StoreError::Corrupt("name")))
                .collect::<Result<_, _>>()?,
            created_at: Timestamp::from_ms(row.created_at),
            version: row.version,
        })
    }
}

fn quota(requests: i64, period_s: i64) -> Option<Quota> {
    Quota::new(u32::try_from(requests).ok()?, Lifetime::from_secs(u32::try_from(period_s).ok()?))
}

pub(super) async fn insert(db: &mut Db<'_>, plan: &Plan) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let (id, workspace): (&[u8], &[u8]) = (plan.id.as_bytes(), plan.workspace.as_bytes());
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(id)
            .bind(workspace)
            .bind(plan.name.as_str())
            .bind(i64::from(plan.quota.requests.get()))
            .bind(i64::from(plan.quota.period().as_secs()))
            .bind(decode::to_json(&plan.apis))
            .bind(plan.created_at.ms());
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

/// Whether a plan of this name is or was there.
pub(super) async fn is_named(db: &mut Db<'_>, plan: &Plan) -> Result<bool, StoreError> {
    let sql = db.sql(&NAMED);
    let workspace: &[u8] = plan.workspace.as_bytes();
    let count: i64 = on_conn!(db, |conn| {
        sqlx::query_scalar(sql).bind(workspace).bind(plan.name.as_str()).fetch_one(&mut **conn).await
    })?;
    Ok(count > 0)
}

pub(super) async fn count(db: &mut Db<'_>, workspace: WorkspaceId) -> Result<i64, StoreError> {
    let sql = db.sql(&COUNT);
    let workspace: &[u8] = workspace.as_bytes();
    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).bind(workspace).fetch_one(&mut **conn).await)?)
}

/// Writes quota and APIs over the version that `plan` was read at; false when that is no longer the newest.
pub(super) async fn update(db: &mut Db<'_>, plan: &Plan) -> Result<bool, StoreError> {
    let sql = db.sql(&UPDATE);
    let id: &[u8] = plan.id.as_bytes();
    let rows = on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(id)
            .bind(plan.version)
            .bind(i64::from(plan.quota.requests.get()))
            .bind(i64::from(plan.quota.period().as_secs()))
            .bind(decode::to_json(&plan.apis));
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

/// Marks a plan as deleted; false when it was before.
pub(super) async fn delete(db: &mut Db<'_>, id: PlanId, at: Timestamp) -> Result<bool, StoreError> {
    let sql = db.sql(&DELETE);
    let id: &[u8] = id.as_bytes();
    let rows = on_conn!(db, |conn| {
        sqlx::query(sql).bind(id).bind(at.ms()).execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

/// All plans of these workspaces.
pub(super) async fn all(db: &mut Db<'_>, workspaces: &[WorkspaceId]) -> Result<Vec<Plan>, StoreError> {
    let sql = db.sql(&ALL);
    let keys = workspaces.iter().map(|id| &id.as_bytes()[..]);
    let rows: Vec<Row> = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            let mut rows = Vec::new();
            for key in keys {
                rows.extend(sqlx::query_as::<_, Row>(sql).bind(key).fetch_all(&mut **conn).await?);
            }
            rows
        }
        DbConn::Postgres(conn) => sqlx::query_as(sql).bind(keys.collect::<Vec<_>>()).fetch_all(&mut **conn).await?,
    };
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Where a page of plans ended.
#[derive(Clone, Copy, Debug)]
pub struct PlanCursor {
    pub created_at: Timestamp,
    pub id: PlanId,
}

impl PlanCursor {
    pub const START: Self = Self { created_at: Timestamp::from_ms(i64::MAX), id: PlanId::from_bytes([0xff; 16]) };
}

impl Store {
    pub(crate) async fn find_plan(&self, workspace: WorkspaceId, id: PlanId) -> Result<Option<Plan>, StoreError> {
        let row: Option<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND);
                    let (id, workspace): (&[u8], &[u8]) = (id.as_bytes(), workspace.as_bytes());
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_as(sql).bind(id).bind(workspace).fetch_optional(&mut **conn).await
                    })?)
                })
            })
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The plans of a workspace, newest first.
    pub(crate) async fn list_plans(
        &self,
        workspace: WorkspaceId,
        after: PlanCursor,
        limit: u32,
    ) -> Result<Vec<Plan>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let (workspace, last): (&[u8], &[u8]) = (workspace.as_bytes(), after.id.as_bytes());
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql)
                        .bind(workspace)
                        .bind(after.created_at.ms())
                        .bind(last)
                        .bind(i64::from(limit))
                        .fetch_all(&mut **conn)
                        .await)?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

//! Table `api`: a workspace's protected resources. A deleted one keeps its row, so that its name is never given out again.

use sqlx::FromRow;

use super::database::{Db, DbConn};
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::api::Api;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ApiId, WorkspaceId};

macro_rules! api_select {
    () => {
        "SELECT id, workspace_id, name, audience, scopes, created_at, version FROM api WHERE deleted_at IS NULL AND "
    };
}

static INSERT: Statement = Statement::both(
    "api.insert",
    "INSERT INTO api (id, workspace_id, name, audience, scopes, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, 1)",
);
static FIND: Statement = Statement::both("api.find", concat!(api_select!(), "id = $1 AND workspace_id = $2"));
static LIST: Statement = Statement::both(
    "api.list",
    concat!(
        api_select!(),
        "workspace_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4"
    ),
);
static ALL: Statement = Statement::each(
    "api.all",
    concat!(api_select!(), "workspace_id = $1"),
    concat!(api_select!(), "workspace_id = ANY($1)"),
);
static COUNT: Statement =
    Statement::both("api.count", "SELECT COUNT(*) FROM api WHERE workspace_id = $1 AND deleted_at IS NULL");
static NAMED: Statement =
    Statement::both("api.named", "SELECT COUNT(*) FROM api WHERE workspace_id = $1 AND name = $2");
static UPDATE: Statement = Statement::both(
    "api.update",
    "UPDATE api SET audience = $3, scopes = $4, version = version + 1 \
     WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
);
static DELETE: Statement = Statement::both(
    "api.delete",
    "UPDATE api SET deleted_at = $2, version = version + 1 WHERE id = $1 AND deleted_at IS NULL",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND, &LIST, &ALL, &COUNT, &NAMED, &UPDATE, &DELETE];

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    name: String,
    audience: String,
    scopes: String,
    created_at: i64,
    version: i64,
}

impl TryFrom<Row> for Api {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ApiId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: workspace::id(&row.workspace_id)?,
            name: row.name.parse().ok().ok_or(StoreError::Corrupt("name"))?,
            audience: row.audience.parse().ok().ok_or(StoreError::Corrupt("audience"))?,
            scopes: row.scopes.parse().ok().ok_or(StoreError::Corrupt("scope"))?,
            created_at: Timestamp::from_ms(row.created_at),
            version: row.version,
        })
    }
}

pub(super) async fn insert(db: &mut Db<'_>, api: &Api) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let (id, workspace): (&[u8], &[u8]) = (api.id.as_bytes(), api.workspace.as_bytes());
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(id)
            .bind(workspace)
            .bind(api.name.as_str())
            .bind(api.audience.as_str())
            .bind(api.scopes.to_string())
            .bind(api.created_at.ms());
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

/// Whether an API of this name is or was there.
pub(super) async fn is_named(db: &mut Db<'_>, api: &Api) -> Result<bool, StoreError> {
    let sql = db.sql(&NAMED);
    let workspace: &[u8] = api.workspace.as_bytes();
    let count: i64 = on_conn!(db, |conn| {
        sqlx::query_scalar(sql).bind(workspace).bind(api.name.as_str()).fetch_one(&mut **conn).await
    })?;
    Ok(count > 0)
}

pub(super) async fn count(db: &mut Db<'_>, workspace: WorkspaceId) -> Result<i64, StoreError> {
    let sql = db.sql(&COUNT);
    let workspace: &[u8] = workspace.as_bytes();
    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).bind(workspace).fetch_one(&mut **conn).await)?)
}

/// Writes audience and scopes over the version that `api` was read at; false when that is no longer the newest.
pub(super) async fn update(db: &mut Db<'_>, api: &Api) -> Result<bool, StoreError> {
    let sql = db.sql(&UPDATE);
    let id: &[u8] = api.id.as_bytes();
    let rows = on_conn!(db, |conn| {
        let query =
            sqlx::query(sql).bind(id).bind(api.version).bind(api.audience.as_str()).bind(api.scopes.to_string());
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

/// Marks an API as deleted; false when it was before.
pub(super) async fn delete(db: &mut Db<'_>, id: ApiId, at: Timestamp) -> Result<bool, StoreError> {
    let sql = db.sql(&DELETE);
    let id: &[u8] = id.as_bytes();
    let rows = on_conn!(db, |conn| {
        sqlx::query(sql).bind(id).bind(at.ms()).execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

/// All APIs of these workspaces.
pub(super) async fn all(db: &mut Db<'_>, workspaces: &[WorkspaceId]) -> Result<Vec<Api>, StoreError> {
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

/// Where a page of APIs ended.
#[derive(Clone, Copy, Debug)]
pub struct ApiCursor {
    pub created_at: Timestamp,
    pub id: ApiId,
}

impl ApiCursor {
    pub const START: Self = Self { created_at: Timestamp::from_ms(i64::MAX), id: ApiId::from_bytes([0xff; 16]) };
}

impl Store {
    pub(crate) async fn find_api(&self, workspace: WorkspaceId, id: ApiId) -> Result<Option<Api>, StoreError> {
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

    /// The APIs of a workspace, newest first.
    pub(crate) async fn list_apis(
        &self,
        workspace: WorkspaceId,
        after: ApiCursor,
        limit: u32,
    ) -> Result<Vec<Api>, StoreError> {
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

//! Table `workspace`: the tenants. A deleted one keeps its row, so that its name is never given out again.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::ids::WorkspaceId;

macro_rules! workspace_select {
    () => {
        "SELECT id, name, admin_override, created_at, version FROM workspace WHERE deleted_at IS NULL AND "
    };
}

static COUNT: Statement = Statement::both("workspace.count", "SELECT COUNT(*) FROM workspace");
static FIND: Statement = Statement::both("workspace.find", concat!(workspace_select!(), "id = $1"));
static LIST: Statement = Statement::both(
    "workspace.list",
    concat!(
        workspace_select!(),
        "(created_at, id) < ($1, $2) AND ($3 = '' OR name LIKE $3 ESCAPE '\\') ORDER BY created_at DESC, id DESC LIMIT $4"
    ),
);
/// Changes that depend on several rows of one workspace wait for each other here. SQLite has one writer anyway.
static LOCK: Statement = Statement::each(
    "workspace.lock",
    "SELECT 1 FROM workspace WHERE id = $1",
    "SELECT 1 FROM workspace WHERE id = $1 FOR NO KEY UPDATE",
);

pub(super) const STATEMENTS: &[&Statement] = &[&COUNT, &FIND, &LIST, &LOCK];

/// A tenant.
#[derive(Clone, Debug)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: String,
    /// Whether administrators may revoke tokens that are otherwise revoked by HTTP only.
    pub admin_override: bool,
    pub created_at: Timestamp,
    pub version: i64,
}

/// Where a page of workspaces ended.
#[derive(Clone, Copy, Debug)]
pub struct WorkspaceCursor {
    pub created_at: Timestamp,
    pub id: WorkspaceId,
}

impl WorkspaceCursor {
    pub const START: Self = Self { created_at: Timestamp::from_ms(i64::MAX), id: WorkspaceId::from_bytes([0xff; 16]) };
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    name: String,
    admin_override: bool,
    created_at: i64,
    version: i64,
}

impl TryFrom<Row> for Workspace {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(&row.id)?,
            name: row.name,
            admin_override: row.admin_override,
            created_at: Timestamp::from_ms(row.created_at),
            version: row.version,
        })
    }
}

/// Holds the workspace's row until the transaction ends.
pub(super) async fn lock(db: &mut Db<'_>, id: WorkspaceId) -> Result<(), StoreError> {
    let sql = db.sql(&LOCK);
    let id: &[u8] = id.as_bytes();
    on_conn!(db, |conn| sqlx::query(sql).bind(id).fetch_optional(&mut **conn).await.map(drop))?;
    Ok(())
}

pub(super) async fn find(db: &mut Db<'_>, id: WorkspaceId) -> Result<Option<Workspace>, StoreError> {
    let sql = db.sql(&FIND);
    let key: &[u8] = id.as_bytes();
    let row: Option<Row> = on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?;
    row.map(TryInto::try_into).transpose()
}

pub(super) async fn count(db: &mut Db<'_>) -> Result<i64, StoreError> {
    let sql = db.sql(&COUNT);
    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_one(&mut **conn).await)?)
}

impl Store {
    /// Whether nobody has set this store up yet.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        let count = self.database.read(|mut db| Box::pin(async move { count(&mut db).await })).await?;
        Ok(count == 0)
    }

    pub(crate) async fn find_workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { find(&mut db, id).await })).await
    }

    /// Whether administrators may revoke tokens that are otherwise revoked by HTTP only.
    pub(crate) async fn admins_override(&self, workspace: WorkspaceId) -> Result<bool, StoreError> {
        Ok(self.find_workspace(workspace).await?.is_some_and(|workspace| workspace.admin_override))
    }

    /// All workspaces whose name contains `text`, newest first.
    pub(crate) async fn list_workspaces(
        &self,
        text: String,
        after: WorkspaceCursor,
        limit: u32,
    ) -> Result<Vec<Workspace>, StoreError> {
        let pattern = decode::contains_pattern(&text);
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                let pattern = pattern.clone();
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let last: &[u8] = after.id.as_bytes();
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql)
                        .bind(after.created_at.ms())
                        .bind(last)
                        .bind(&pattern)
                        .bind(i64::from(limit))
                        .fetch_all(&mut **conn)
                        .await)?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// Reads the id column of a workspace.
pub(super) fn id(column: &[u8]) -> Result<WorkspaceId, StoreError> {
    decode::id_bytes(column).map(WorkspaceId::from_bytes)
}

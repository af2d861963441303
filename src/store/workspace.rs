//! Table `workspace`: the tenants.

use std::sync::Arc;

use super::database::Db;
use super::group_commit::Batch as _;
use super::issue::Issue;
use super::statement::Statement;
use super::user::{self, NewUser};
use super::{Store, StoreError, client, key_version};
use crate::domain::client::Client;
use crate::domain::clock::Timestamp;
use crate::domain::grant::WorkspaceRef;
use crate::domain::ids::{ClientKey, WorkspaceId};
use crate::domain::keys::KeyVersion;

static INSERT: Statement = Statement::both(
    "workspace.insert",
    "INSERT INTO workspace (id, name, api_client, created_at) VALUES ($1, $2, $3, $4)",
);
static COUNT: Statement = Statement::both("workspace.count", "SELECT COUNT(*) FROM workspace");

/// Changes that depend on several rows of one workspace wait for each other here. SQLite has one writer anyway.
static LOCK: Statement = Statement::each(
    "workspace.lock",
    "SELECT 1 FROM workspace WHERE id = $1",
    "SELECT 1 FROM workspace WHERE id = $1 FOR NO KEY UPDATE",
);

static ADMINS_OVERRIDE: Statement =
    Statement::both("workspace.admins_override", "SELECT admin_override FROM workspace WHERE id = $1");

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &COUNT, &LOCK, &ADMINS_OVERRIDE];

/// What an empty store starts with.
#[derive(Clone, Debug)]
pub struct FirstRun {
    pub workspace: WorkspaceRef,
    pub user: NewUser,
    /// The public client that pairs of the workspace are refreshed with.
    pub api_client: Client,
    pub issue: Issue,
    pub key_version: KeyVersion,
    pub at: Timestamp,
}

async fn insert(
    db: &mut Db<'_>,
    workspace: &WorkspaceRef,
    api_client: ClientKey,
    created_at: Timestamp,
) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let (id, api_client): (&[u8], &[u8]) = (workspace.id.as_bytes(), api_client.as_bytes());
    on_conn!(db, |conn| {
        let query = sqlx::query(sql).bind(id).bind(&*workspace.name).bind(api_client).bind(created_at.ms());
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

/// Holds the workspace's row until the transaction ends.
pub(super) async fn lock(db: &mut Db<'_>, id: WorkspaceId) -> Result<(), StoreError> {
    let sql = db.sql(&LOCK);
    let id: &[u8] = id.as_bytes();
    on_conn!(db, |conn| sqlx::query(sql).bind(id).fetch_optional(&mut **conn).await.map(drop))?;
    Ok(())
}

impl Store {
    /// Whether nobody has set this store up yet.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        let count: i64 = self
            .database
            .read(|mut db| {
                Box::pin(async move {
                    let sql = db.sql(&COUNT);
                    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_one(&mut **conn).await)?)
                })
            })
            .await?;
        Ok(count == 0)
    }
}

impl Store {
    /// Whether administrators may revoke tokens that are otherwise revoked by HTTP only.
    pub(crate) async fn admins_override(&self, workspace: WorkspaceId) -> Result<bool, StoreError> {
        let found: Option<bool> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&ADMINS_OVERRIDE);
                    let key: &[u8] = workspace.as_bytes();
                    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).bind(key).fetch_optional(&mut **conn).await)?)
                })
            })
            .await?;
        Ok(found.unwrap_or(false))
    }

    /// Writes the first workspace with its administrator, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when another process was faster.
    pub(crate) async fn set_up(&self, first: Arc<FirstRun>) -> Result<(), StoreError> {
        self.database
            .transact("workspace.set_up", move |mut db| {
                let first = Arc::clone(&first);
                Box::pin(async move {
                    insert(&mut db, &first.workspace, first.api_client.key, first.at).await?;
                    key_version::insert(&mut db, first.key_version, first.at).await?;
                    user::insert(&mut db, &first.user).await?;
                    client::insert(&mut db, &first.api_client).await?;
                    Issue::write(&mut db, &[&first.issue]).await.map(drop)
                })
            })
            .await
    }
}

/// Reads the id column of a workspace.
pub(super) fn id(column: &[u8]) -> Result<WorkspaceId, StoreError> {
    super::decode::id_bytes(column).map(WorkspaceId::from_bytes)
}

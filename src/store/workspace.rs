//! Table `workspace`: the tenants.

use std::sync::Arc;

use super::database::Db;
use super::group_commit::Batch as _;
use super::issue::Issue;
use super::statement::Statement;
use super::user::{self, User};
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

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &COUNT];

/// What an empty store starts with.
#[derive(Clone, Debug)]
pub struct FirstRun {
    pub workspace: WorkspaceRef,
    pub user: User,
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
                    user::insert(&mut db, &first.user, first.at).await?;
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

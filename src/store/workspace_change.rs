//! Writes to `workspace`: a new one with its first administrator, edits, deletion.

use std::sync::Arc;

use super::audit::{self, AuditEvent};
use super::database::Db;
use super::group_commit::Batch as _;
use super::issue::Issue;
use super::revoke::{self, Applied, Revoke};
use super::statement::Statement;
use super::user::{self, NewUser};
use super::workspace::{self, Workspace};
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
static UPDATE: Statement = Statement::both(
    "workspace.update",
    "UPDATE workspace SET admin_override = $3, version = version + 1 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
);
static DELETE: Statement = Statement::both(
    "workspace.delete",
    "UPDATE workspace SET deleted_at = $2, version = version + 1 WHERE id = $1 AND deleted_at IS NULL",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &UPDATE, &DELETE];

/// A workspace to make, with its first administrator and a key of theirs.
#[derive(Clone, Debug)]
pub struct NewWorkspace {
    pub workspace: WorkspaceRef,
    pub user: NewUser,
    /// The public client that pairs of the workspace are refreshed with.
    pub api_client: Client,
    /// Carries the audit row that the workspace itself sees.
    pub issue: Issue,
    pub at: Timestamp,
}

/// What an empty store starts with.
#[derive(Clone, Debug)]
pub struct FirstRun {
    pub new: NewWorkspace,
    pub key_version: KeyVersion,
}

/// An edit: what the workspace is afterwards.
#[derive(Clone, Debug)]
pub struct UpdateWorkspace {
    /// With the version that the edit was made of.
    pub workspace: Workspace,
    /// Tells the others; carries the audit row.
    pub revoke: Revoke,
}

async fn insert(db: &mut Db<'_>, new: &NewWorkspace) -> Result<(), StoreError> {
    insert_row(db, &new.workspace, new.api_client.key, new.at).await?;
    user::insert(db, &new.user).await?;
    client::insert(db, &new.api_client).await?;
    Issue::write(db, &[&new.issue]).await.map(drop)
}

async fn insert_row(
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

/// Marks a workspace as deleted; false when it was before.
pub(super) async fn delete(db: &mut Db<'_>, id: WorkspaceId, at: Timestamp) -> Result<bool, StoreError> {
    let sql = db.sql(&DELETE);
    let id: &[u8] = id.as_bytes();
    let rows = on_conn!(db, |conn| {
        let query = sqlx::query(sql).bind(id).bind(at.ms());
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

/// The workspace as it is now; `None` for the edit when somebody else was faster.
async fn update(db: &mut Db<'_>, work: &UpdateWorkspace) -> Result<(Option<Workspace>, Option<Applied>), StoreError> {
    let (sql, edited) = (db.sql(&UPDATE), &work.workspace);
    let id: &[u8] = edited.id.as_bytes();
    let rows = on_conn!(db, |conn| {
        let query = sqlx::query(sql).bind(id).bind(edited.version).bind(edited.admin_override);
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    if rows == 0 {
        return Ok((None, None));
    }
    let applied = revoke::within(db, &work.revoke).await?;
    Ok((workspace::find(db, edited.id).await?, Some(applied)))
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
                    insert(&mut db, &first.new).await?;
                    key_version::insert(&mut db, first.key_version, first.new.at).await
                })
            })
            .await
    }

    /// `audit` is the row that the operator's own workspace sees.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when the name is or was in use.
    pub(crate) async fn insert_workspace(&self, new: NewWorkspace, audit: AuditEvent) -> Result<(), StoreError> {
        let work = Arc::new((new, audit));
        self.database
            .transact("workspace.create", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    insert(&mut db, &work.0).await?;
                    audit::insert(&mut db, &[&work.1]).await
                })
            })
            .await
    }

    /// Writes an edit; `None` when somebody else was faster.
    pub(crate) async fn update_workspace(
        &self,
        work: UpdateWorkspace,
    ) -> Result<(Option<Workspace>, Option<Applied>), StoreError> {
        let work = Arc::new(work);
        self.database
            .transact_revoking("workspace.update", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move { update(&mut db, &work).await })
            })
            .await
    }
}

//! Writes to `user_account` that must not leave a workspace without an administrator: create, edit, delete.
//!
//! Edits and deletions of one workspace's users wait for each other at the row of the workspace, so that two
//! administrators can't remove one another at the same moment.

use std::sync::Arc;

use super::audit::{self, AuditEvent};
use super::database::Db;
use super::revoke::{self, Applied, Revoke};
use super::statement::Statement;
use super::user::{self, NewUser, Role, User};
use super::{Store, StoreError, console_session, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::ids::UserId;

static UPDATE: Statement = Statement::both(
    "user.update",
    "UPDATE user_account SET email = $2, role = $3, tokens_allowed = $4, \
     password_hash = CASE WHEN $5 THEN $6 ELSE password_hash END, identity_issuer = $7, identity_subject = $8, \
     identity_at = $9, version = version + 1 WHERE id = $1",
);
static DELETE: Statement = Statement::both(
    "user.delete",
    "UPDATE user_account SET deleted_at = $2, password_hash = NULL, identity_issuer = NULL, identity_subject = NULL, \
     identity_at = NULL, version = version + 1 WHERE id = $1",
);
/// Others who may do at least what the role `$3` may; asked for admin and operator only.
static COUNT_PEERS: Statement = Statement::both(
    "user.count_peers",
    "SELECT COUNT(*) FROM user_account WHERE workspace_id = $1 AND id <> $2 AND deleted_at IS NULL \
     AND role IN ('operator', $3)",
);

pub(super) const STATEMENTS: &[&Statement] = &[&UPDATE, &DELETE, &COUNT_PEERS];

/// An edit: what the user is afterwards.
#[derive(Clone, Debug)]
pub struct UpdateUser {
    /// With the version that the edit was made of.
    pub user: User,
    /// A new password, or none any more, where it is edited.
    pub password_hash: Option<Option<String>>,
    /// Whoever could sign in before may be signed in, and must not stay.
    pub ends_sessions: bool,
    pub audit: AuditEvent,
}

/// A deletion, of the user as of this version.
#[derive(Clone, Debug)]
pub struct DeleteUser {
    pub user: User,
    /// Cuts off everything that the user holds; carries the audit row.
    pub revoke: Revoke,
}

/// What came of an edit or a deletion.
#[derive(Clone, Debug)]
pub enum UserChange<T> {
    Done(T),
    /// There is no such user any more.
    Gone,
    /// Somebody else was faster.
    Stale,
    /// Nobody else in the workspace has the role.
    Last(Role),
}

/// Reads the user under the workspace's lock, and refuses what would take away the last of a role.
async fn hold(db: &mut Db<'_>, edited: &User, role_after: Option<Role>) -> Result<UserChange<User>, StoreError> {
    workspace::lock(db, edited.workspace).await?;
    let Some(current) = user::find(db, edited.id).await? else {
        return Ok(UserChange::Gone);
    };
    if current.version != edited.version {
        return Ok(UserChange::Stale);
    }
    let loses = current.role > Role::Member && role_after.is_none_or(|after| after < current.role);
    if loses && count_peers(db, &current).await? == 0 {
        return Ok(UserChange::Last(current.role));
    }
    Ok(UserChange::Done(current))
}

async fn count_peers(db: &mut Db<'_>, user: &User) -> Result<i64, StoreError> {
    let sql = db.sql(&COUNT_PEERS);
    let (workspace, id): (&[u8], &[u8]) = (user.workspace.as_bytes(), user.id.as_bytes());
    let count = on_conn!(db, |conn| {
        let query = sqlx::query_scalar(sql).bind(workspace).bind(id).bind(user.role.as_str());
        query.fetch_one(&mut **conn).await
    })?;
    Ok(count)
}

async fn update(db: &mut Db<'_>, work: &UpdateUser) -> Result<UserChange<User>, StoreError> {
    let user = &work.user;
    match hold(db, user, Some(user.role)).await? {
        UserChange::Done(_) => {}
        refused => return Ok(refused),
    }
    let sql = db.sql(&UPDATE);
    let id: &[u8] = user.id.as_bytes();
    let identity = user.identity_columns();
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(id)
            .bind(&user.email)
            .bind(user.role.as_str())
            .bind(user.tokens_allowed)
            .bind(work.password_hash.is_some())
            .bind(work.password_hash.as_ref().and_then(Option::as_ref))
            .bind(identity.issuer)
            .bind(identity.subject)
            .bind(identity.at_ms);
        query.execute(&mut **conn).await.map(drop)
    })?;
    if work.ends_sessions {
        console_session::end_others(db, user.id, None).await?;
    }
    audit::insert(db, &[&work.audit]).await?;
    Ok(user::find(db, user.id).await?.map_or(UserChange::Gone, UserChange::Done))
}

async fn delete(db: &mut Db<'_>, work: &DeleteUser) -> Result<(UserChange<()>, Option<Applied>), StoreError> {
    match hold(db, &work.user, None).await? {
        UserChange::Done(_) => {}
        UserChange::Gone => return Ok((UserChange::Gone, None)),
        UserChange::Stale => return Ok((UserChange::Stale, None)),
        UserChange::Last(role) => return Ok((UserChange::Last(role), None)),
    }
    mark_deleted(db, work.user.id, work.revoke.at).await?;
    let applied = revoke::within(db, &work.revoke).await?;
    Ok((UserChange::Done(()), Some(applied)))
}

async fn mark_deleted(db: &mut Db<'_>, id: UserId, at: Timestamp) -> Result<(), StoreError> {
    let sql = db.sql(&DELETE);
    let id: &[u8] = id.as_bytes();
    on_conn!(db, |conn| sqlx::query(sql).bind(id).bind(at.ms()).execute(&mut **conn).await.map(drop))?;
    Ok(())
}

impl Store {
    /// # Errors
    /// [`StoreError::Duplicate`] when the name is or was in use in the workspace.
    pub(crate) async fn insert_user(&self, new: NewUser, audit: AuditEvent) -> Result<(), StoreError> {
        let work = Arc::new((new, audit));
        self.database
            .transact("user.create", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    user::insert(&mut db, &work.0).await?;
                    audit::insert(&mut db, &[&work.1]).await
                })
            })
            .await
    }

    /// # Errors
    /// [`StoreError::Duplicate`] when the user's new identity is another's.
    pub(crate) async fn update_user(&self, work: UpdateUser) -> Result<UserChange<User>, StoreError> {
        let work = Arc::new(work);
        self.database
            .transact("user.update", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move { update(&mut db, &work).await })
            })
            .await
    }

    /// What a deletion of this user, as of this version, would come to.
    pub(crate) async fn check_user_deletion(&self, user: User) -> Result<UserChange<User>, StoreError> {
        let user = Arc::new(user);
        self.database
            .transact("user.check_deletion", move |mut db| {
                let user = Arc::clone(&user);
                Box::pin(async move { hold(&mut db, &user, None).await })
            })
            .await
    }

    /// Deletes a user and cuts off everything that they hold; in force when this returns.
    pub(crate) async fn delete_user(&self, work: DeleteUser) -> Result<(UserChange<()>, Option<Applied>), StoreError> {
        let work = Arc::new(work);
        self.database
            .transact_revoking("user.delete", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move { delete(&mut db, &work).await })
            })
            .await
    }
}

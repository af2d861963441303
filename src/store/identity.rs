//! Columns `identity_…` of `user_account`: which user a person is who signs in by a provider.

use super::audit::{self, AuditEvent};
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::identity::Identity;
use crate::domain::ids::{UserId, WorkspaceId};

macro_rules! of_workspace {
    ($condition:literal) => {
        concat!(
            "SELECT u.id FROM user_account u JOIN workspace w ON w.id = u.workspace_id \
             WHERE w.name = $1 AND w.deleted_at IS NULL AND u.deleted_at IS NULL AND ",
            $condition,
            " LIMIT 2"
        )
    };
}

static FIND_WORKSPACE: Statement =
    Statement::both("identity.find_workspace", "SELECT id FROM workspace WHERE name = $1 AND deleted_at IS NULL");
static FIND: Statement =
    Statement::both("identity.find", of_workspace!("u.identity_issuer = $2 AND u.identity_subject = $3"));
/// Addresses are ASCII; in any case.
static FIND_EMAIL: Statement = Statement::both("identity.find_email", of_workspace!("LOWER(u.email) = LOWER($2)"));
static FIND_NAME: Statement = Statement::both("identity.find_name", of_workspace!("u.username = $2"));
/// A user who is somebody else to the same provider already stays who they are.
static LINK: Statement = Statement::both(
    "identity.link",
    "UPDATE user_account SET identity_issuer = $2, identity_subject = $3, identity_at = $4, version = version + 1 \
     WHERE id = $1 AND deleted_at IS NULL AND (identity_issuer IS NULL OR identity_issuer <> $2)",
);

pub(super) const STATEMENTS: &[&Statement] = &[&FIND_WORKSPACE, &FIND, &FIND_EMAIL, &FIND_NAME, &LINK];

/// What a person who has not signed in before is recognized by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// An address that the provider has verified.
    Email(String),
    Username(String),
}

impl Store {
    pub(crate) async fn find_workspace_named(&self, name: &str) -> Result<Option<WorkspaceId>, StoreError> {
        let name = name.to_owned();
        let id: Option<Vec<u8>> = self
            .database
            .read(move |mut db| {
                let name = name.clone();
                Box::pin(async move {
                    let sql = db.sql(&FIND_WORKSPACE);
                    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).bind(&name).fetch_optional(&mut **conn).await)?)
                })
            })
            .await?;
        id.map(|id| decode::id_bytes(&id).map(WorkspaceId::from_bytes)).transpose()
    }

    /// The user of this workspace who is that person.
    pub(crate) async fn find_identified(
        &self,
        workspace: &str,
        identity: &Identity,
    ) -> Result<Option<UserId>, StoreError> {
        let values = [workspace.to_owned(), identity.issuer.clone(), identity.subject.as_str().to_owned()];
        Ok(self.find_by(&FIND, values.into()).await?.pop())
    }

    /// Users of this workspace with that mark: two where there are more than one.
    pub(crate) async fn find_marked(&self, workspace: &str, mark: &Mark) -> Result<Vec<UserId>, StoreError> {
        let (statement, value) = match mark {
            Mark::Email(email) => (&FIND_EMAIL, email),
            Mark::Username(username) => (&FIND_NAME, username),
        };
        self.find_by(statement, vec![workspace.to_owned(), value.clone()]).await
    }

    async fn find_by(&self, statement: &'static Statement, values: Vec<String>) -> Result<Vec<UserId>, StoreError> {
        let ids: Vec<Vec<u8>> = self
            .database
            .read(move |mut db| {
                let values = values.clone();
                Box::pin(async move {
                    let sql = db.sql(statement);
                    Ok(on_conn!(db, |conn| {
                        let query = values.iter().fold(sqlx::query_scalar(sql), sqlx::query::QueryScalar::bind);
                        query.fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        ids.into_iter().map(|id| decode::id_bytes(&id).map(UserId::from_bytes)).collect()
    }

    /// Ties a user to a person. False when the user is gone, or is somebody else to this provider.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when that person is another user of the workspace by now.
    pub(crate) async fn link_identity(
        &self,
        user: UserId,
        identity: Identity,
        at: Timestamp,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        self.database
            .transact(LINK.name, move |mut db| {
                let (identity, event) = (identity.clone(), event.clone());
                Box::pin(async move {
                    let sql = db.sql(&LINK);
                    let user: &[u8] = user.as_bytes();
                    let linked = on_conn!(db, |conn| {
                        let query = sqlx::query(sql).bind(user).bind(&identity.issuer);
                        let query = query.bind(identity.subject.as_str()).bind(at.ms());
                        query.execute(&mut **conn).await.map(|done| done.rows_affected())
                    })?;
                    if linked > 0 {
                        audit::insert(&mut db, &[&event]).await?;
                    }
                    Ok(linked > 0)
                })
            })
            .await
    }
}

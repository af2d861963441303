//! Column `password_hash` of `user_account`, and table `password_link`: how people prove who they are.

use sqlx::FromRow;

use super::audit::AuditEvent;
use super::statement::Statement;
use super::{Store, StoreError, audit, console_session, decode};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ConsoleSessionId, UserId};
use crate::domain::secret::Digest;

/// More than one: the name is used in several workspaces, and none was named.
static FIND: Statement = Statement::both(
    "password.find",
    "SELECT u.id, u.password_hash FROM user_account u JOIN workspace w ON w.id = u.workspace_id \
     WHERE u.username = $1 AND ($2 = '' OR w.name = $2) AND u.deleted_at IS NULL AND w.deleted_at IS NULL LIMIT 2",
);
static FIND_OF_USER: Statement = Statement::both(
    "password.find_of_user",
    "SELECT id, password_hash FROM user_account WHERE id = $1 AND deleted_at IS NULL",
);
static SET: Statement = Statement::both(
    "password.set",
    "UPDATE user_account SET password_hash = $2, version = version + 1 WHERE id = $1 AND deleted_at IS NULL",
);
static FIRST_WITHOUT: Statement = Statement::both(
    "password.first_without",
    "SELECT id FROM user_account WHERE role = 'operator' AND deleted_at IS NULL AND NOT EXISTS \
     (SELECT 1 FROM user_account WHERE deleted_at IS NULL AND (password_hash IS NOT NULL \
     OR ($1 AND role = 'operator' AND identity_subject IS NOT NULL))) ORDER BY created_at, id LIMIT 1",
);
static FIRST_OPERATOR: Statement = Statement::both(
    "password.first_operator",
    "SELECT id FROM user_account WHERE role = 'operator' AND deleted_at IS NULL ORDER BY created_at, id LIMIT 1",
);
static INSERT_LINK: Statement = Statement::both(
    "password_link.insert",
    "INSERT INTO password_link (digest, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
);
static FIND_LINK: Statement = Statement::both(
    "password_link.find",
    "SELECT l.user_id FROM password_link l JOIN user_account u ON u.id = l.user_id \
     WHERE l.digest = $1 AND l.expires_at > $2 AND u.deleted_at IS NULL",
);
static TAKE_LINK: Statement = Statement::both(
    "password_link.take",
    "DELETE FROM password_link WHERE digest = $1 AND user_id = $2 AND expires_at > $3",
);
/// Other links of the user too: once a password is set, none of them may set another.
static DELETE_LINKS: Statement =
    Statement::both("password_link.delete", "DELETE FROM password_link WHERE user_id = $1 OR expires_at <= $2");

pub(super) const STATEMENTS: &[&Statement] =
    &[&FIND, &FIND_OF_USER, &SET, &FIRST_WITHOUT, &FIRST_OPERATOR, &INSERT_LINK, &FIND_LINK, &TAKE_LINK, &DELETE_LINKS];

/// What a user's password is compared with.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: UserId,
    pub password_hash: Option<String>,
}

/// A new password.
#[derive(Clone, Debug)]
pub struct SetPassword {
    pub user: UserId,
    pub hash: String,
    pub at: Timestamp,
    /// The link that allows it; `None` where the old password did.
    pub link: Option<Digest>,
    /// The one session that goes on.
    pub kept: Option<ConsoleSessionId>,
    pub audit: AuditEvent,
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    password_hash: Option<String>,
}

impl TryFrom<Row> for Credentials {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self { user: UserId::from_bytes(decode::id_bytes(&row.id)?), password_hash: row.password_hash })
    }
}

impl Store {
    /// The one user of this name; `workspace` may be empty.
    pub(crate) async fn find_credentials(
        &self,
        username: &str,
        workspace: &str,
    ) -> Result<Option<Credentials>, StoreError> {
        let (username, workspace) = (username.to_owned(), workspace.to_owned());
        let mut rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                let (username, workspace) = (username.clone(), workspace.clone());
                Box::pin(async move {
                    let sql = db.sql(&FIND);
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_as(sql).bind(&username).bind(&workspace).fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        let one = if rows.len() == 1 { rows.pop() } else { None };
        one.map(TryInto::try_into).transpose()
    }

    pub(crate) async fn find_credentials_of_user(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        let row: Option<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND_OF_USER);
                    let user: &[u8] = user.as_bytes();
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql).bind(user).fetch_optional(&mut **conn).await)?)
                })
            })
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The first operator, as long as nobody can sign in: has a password, or, with `identities`, is an operator whom the
    /// provider knows.
    pub(crate) async fn find_first_without_password(&self, identities: bool) -> Result<Option<UserId>, StoreError> {
        self.find_first(&FIRST_WITHOUT, Some(identities)).await
    }

    /// The operator who was there before all others.
    pub(crate) async fn find_first_operator(&self) -> Result<Option<UserId>, StoreError> {
        self.find_first(&FIRST_OPERATOR, None).await
    }

    async fn find_first(
        &self,
        statement: &'static Statement,
        flag: Option<bool>,
    ) -> Result<Option<UserId>, StoreError> {
        let id: Option<Vec<u8>> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(statement);
                    Ok(on_conn!(db, |conn| {
                        let query = flag.into_iter().fold(sqlx::query_scalar(sql), sqlx::query::QueryScalar::bind);
                        query.fetch_optional(&mut **conn).await
                    })?)
                })
            })
            .await?;
        id.map(|id| decode::id_bytes(&id).map(UserId::from_bytes)).transpose()
    }

    pub(crate) async fn insert_password_link(
        &self,
        digest: Digest,
        user: UserId,
        created_at: Timestamp,
        expires_at: Timestamp,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        self.database
            .transact(INSERT_LINK.name, move |mut db| {
                let event = event.clone();
                Box::pin(async move {
                    let sql = db.sql(&INSERT_LINK);
                    let user: &[u8] = user.as_bytes();
                    on_conn!(db, |conn| {
                        let query = sqlx::query(sql).bind(&digest.as_bytes()[..]).bind(user);
                        query.bind(created_at.ms()).bind(expires_at.ms()).execute(&mut **conn).await.map(drop)
                    })?;
                    audit::insert(&mut db, &[&event]).await
                })
            })
            .await
    }

    /// Whose password a link sets, while it is good.
    pub(crate) async fn find_password_link(
        &self,
        digest: Digest,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let id: Option<Vec<u8>> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND_LINK);
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query_scalar(sql).bind(&digest.as_bytes()[..]).bind(now.ms());
                        query.fetch_optional(&mut **conn).await
                    })?)
                })
            })
            .await?;
        id.map(|id| decode::id_bytes(&id).map(UserId::from_bytes)).transpose()
    }

    /// Sets a password and ends the user's other sessions. False when the link is used up or the user is gone.
    pub(crate) async fn set_password(&self, set: SetPassword) -> Result<bool, StoreError> {
        self.database
            .transact("password.set", move |mut db| {
                let set = set.clone();
                Box::pin(async move {
                    let user: &[u8] = set.user.as_bytes();
                    if let Some(link) = &set.link {
                        let sql = db.sql(&TAKE_LINK);
                        let taken = on_conn!(db, |conn| {
                            let query = sqlx::query(sql).bind(&link.as_bytes()[..]).bind(user).bind(set.at.ms());
                            query.execute(&mut **conn).await.map(|done| done.rows_affected())
                        })?;
                        if taken == 0 {
                            return Ok(false);
                        }
                    }
                    let sql = db.sql(&SET);
                    let changed = on_conn!(db, |conn| {
                        let query = sqlx::query(sql).bind(user).bind(&set.hash);
                        query.execute(&mut **conn).await.map(|done| done.rows_affected())
                    })?;
                    if changed == 0 {
                        return Ok(false);
                    }
                    let sql = db.sql(&DELETE_LINKS);
                    on_conn!(db, |conn| {
                        sqlx::query(sql).bind(user).bind(set.at.ms()).execute(&mut **conn).await.map(drop)
                    })?;
                    console_session::end_others(&mut db, set.user, set.kept).await?;
                    audit::insert(&mut db, &[&set.audit]).await?;
                    Ok(true)
                })
            })
            .await
    }
}

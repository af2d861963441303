//! Table `user_account`: people, each in one workspace with one role.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{UserId, WorkspaceId};

static INSERT: Statement = Statement::both(
    "user.insert",
    "INSERT INTO user_account (id, workspace_id, username, role, created_at) VALUES ($1, $2, $3, $4, $5)",
);
static FIND: Statement =
    Statement::both("user.find", "SELECT id, workspace_id, username, role FROM user_account WHERE id = $1");

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND];

/// What a user may do in their workspace; each role may do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// One's own tokens.
    Member,
    /// Everything of the workspace.
    Admin,
    /// Also what belongs to the whole instance.
    Operator,
}

impl Role {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Member, Self::Admin, Self::Operator].into_iter().find(|role| role.as_str() == name)
    }
}

/// A person with an account.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub workspace: WorkspaceId,
    pub username: String,
    pub role: Role,
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    username: String,
    role: String,
}

impl TryFrom<Row> for User {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: UserId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: workspace::id(&row.workspace_id)?,
            username: row.username,
            role: decode::word(&row.role, Role::from_name)?,
        })
    }
}

pub(super) async fn insert(db: &mut Db<'_>, user: &User, created_at: Timestamp) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let (id, workspace): (&[u8], &[u8]) = (user.id.as_bytes(), user.workspace.as_bytes());
    on_conn!(db, |conn| {
        sqlx::query(sql)
            .bind(id)
            .bind(workspace)
            .bind(&user.username)
            .bind(user.role.as_str())
            .bind(created_at.ms())
            .execute(&mut **conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

impl Store {
    pub(crate) async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row: Option<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND);
                    let key: &[u8] = id.as_bytes();
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?)
                })
            })
            .await?;
        row.map(TryInto::try_into).transpose()
    }
}

//! Table `user_account`: people, each in one workspace with one role. A deleted one keeps its row, for the audit.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::identity::Identity;
use crate::domain::ids::{UserId, WorkspaceId};

macro_rules! user_select {
    () => {
        "SELECT id, workspace_id, username, email, role, tokens_allowed, password_hash IS NOT NULL AS has_password, \
         created_at, version, identity_issuer, identity_subject, identity_at FROM user_account WHERE deleted_at IS NULL AND "
    };
}

static INSERT: Statement = Statement::both(
    "user.insert",
    "INSERT INTO user_account (id, workspace_id, username, email, role, tokens_allowed, password_hash, created_at, \
     identity_issuer, identity_subject, identity_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
);
static FIND: Statement = Statement::both("user.find", concat!(user_select!(), "id = $1"));
/// Words of `$4` are roles; `$5` is a pattern in lower case; a filter that is not given lets everything through.
static LIST: Statement = Statement::both(
    "user.list",
    concat!(
        user_select!(),
        "workspace_id = $1 AND (created_at, id) < ($2, $3) AND ($4 = '' OR $4 LIKE '%' || role || '%') \
         AND ($5 = '' OR LOWER(username) LIKE $5 ESCAPE '\\' OR LOWER(COALESCE(email, '')) LIKE $5 ESCAPE '\\') \
         AND tokens_allowed = COALESCE($6, tokens_allowed) ORDER BY created_at DESC, id DESC LIMIT $7"
    ),
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND, &LIST];

/// What a user may do in their workspace; each role may do what the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// One's own tokens.
    Member,
    /// Everything of the workspace.
    Admin,
    /// Also what belongs to the whole instance.
    Operator,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Member, Self::Admin, Self::Operator];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A person with an account.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub workspace: WorkspaceId,
    pub username: String,
    pub email: Option<String>,
    pub role: Role,
    /// Whether they may make tokens of their own.
    pub tokens_allowed: bool,
    pub has_password: bool,
    pub created_at: Timestamp,
    pub version: i64,
    /// Who they are to the provider that they sign in by.
    pub identity: Option<LinkedIdentity>,
}

/// An identity at a provider, and since when it is a user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedIdentity {
    pub identity: Identity,
    pub linked_at: Timestamp,
}

/// The columns of an identity.
pub(super) struct IdentityColumns<'a> {
    pub issuer: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub at_ms: Option<i64>,
}

impl User {
    pub(super) fn identity_columns(&self) -> IdentityColumns<'_> {
        let linked = self.identity.as_ref();
        IdentityColumns {
            issuer: linked.map(|linked| linked.identity.issuer.as_str()),
            subject: linked.map(|linked| linked.identity.subject.as_str()),
            at_ms: linked.map(|linked| linked.linked_at.ms()),
        }
    }
}

/// A person to store.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub user: User,
    /// A PHC string.
    pub password_hash: Option<String>,
}

/// Which users a list shows. What is empty or `None` does not choose.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    pub roles: Vec<Role>,
    /// A part of the name or the address, in any case.
    pub text: String,
    pub tokens_allowed: Option<bool>,
}

/// Where a page of users ended.
#[derive(Clone, Copy, Debug)]
pub struct UserCursor {
    pub created_at: Timestamp,
    pub id: UserId,
}

impl UserCursor {
    pub const START: Self = Self { created_at: Timestamp::from_ms(i64::MAX), id: UserId::from_bytes([0xff; 16]) };
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    username: String,
    email: Option<String>,
    role: String,
    tokens_allowed: bool,
    has_password: bool,
    created_at: i64,
    version: i64,
    identity_issuer: Option<String>,
    identity_subject: Option<String>,
    identity_at: Option<i64>,
}

impl Row {
    fn identity(&self) -> Result<Option<LinkedIdentity>, StoreError> {
        let (Some(issuer), Some(subject), Some(at)) = (&self.identity_issuer, &self.identity_subject, self.identity_at)
        else {
            return Ok(None);
        };
        let subject = subject.parse().ok().ok_or(StoreError::Corrupt("identity"))?;
        let identity = Identity { issuer: issuer.clone(), subject };
        Ok(Some(LinkedIdentity { identity, linked_at: Timestamp::from_ms(at) }))
    }
}

impl TryFrom<Row> for User {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let identity = row.identity()?;
        Ok(Self {
            id: UserId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: workspace::id(&row.workspace_id)?,
            username: row.username,
            email: row.email,
            role: decode::word(&row.role, Role::from_name)?,
            tokens_allowed: row.tokens_allowed,
            has_password: row.has_password,
            created_at: Timestamp::from_ms(row.created_at),
            version: row.version,
            identity,
        })
    }
}

pub(super) async fn insert(db: &mut Db<'_>, new: &NewUser) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let user = &new.user;
    let identity = user.identity_columns();
    let (id, workspace): (&[u8], &[u8]) = (user.id.as_bytes(), user.workspace.as_bytes());
    on_conn!(db, |conn| {
        sqlx::query(sql)
            .bind(id)
            .bind(workspace)
            .bind(&user.username)
            .bind(&user.email)
            .bind(user.role.as_str())
            .bind(user.tokens_allowed)
            .bind(&new.password_hash)
            .bind(user.created_at.ms())
            .bind(identity.issuer)
            .bind(identity.subject)
            .bind(identity.at_ms)
            .execute(&mut **conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

pub(super) async fn find(db: &mut Db<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    let sql = db.sql(&FIND);
    let key: &[u8] = id.as_bytes();
    let row: Option<Row> = on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?;
    row.map(TryInto::try_into).transpose()
}

impl Store {
    pub(crate) async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { find(&mut db, id).await })).await
    }

    /// The users of a workspace, newest first.
    pub(crate) async fn list_users(
        &self,
        workspace: WorkspaceId,
        filter: UserFilter,
        after: UserCursor,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let roles = filter.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" ");
        let pattern = decode::contains_pattern(&filter.text);
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                let (roles, pattern) = (roles.clone(), pattern.clone());
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let (workspace, last): (&[u8], &[u8]) = (workspace.as_bytes(), after.id.as_bytes());
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql)
                        .bind(workspace)
                        .bind(after.created_at.ms())
                        .bind(last)
                        .bind(&roles)
                        .bind(&pattern)
                        .bind(filter.tokens_allowed)
                        .bind(i64::from(limit))
                        .fetch_all(&mut **conn)
                        .await)?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

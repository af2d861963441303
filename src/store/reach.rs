//! What a mass revocation would reach: how many live tokens, and which of them are in use.
//!
//! The condition is the one that a cut-off makes true: a grant that is alive now and belongs to the subject.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ClientKey, GrantId, UserId, WorkspaceId};

macro_rules! alive {
    ($subject:literal) => {
        concat!(
            " FROM grant_ g WHERE g.",
            $subject,
            " = $1 AND g.state = 'active' AND g.deleted_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $2) \
             AND (g.import_id IS NULL OR EXISTS (SELECT 1 FROM legacy_import i WHERE i.id = g.import_id AND i.deadline > $2)) \
             AND g.revision >= COALESCE((SELECT MAX(k.revision) FROM cutoff k \
             WHERE k.subject IN (g.workspace_id, g.user_id, g.client_key, g.import_id) AND k.policy IN ('', g.policy)), 0)"
        )
    };
}

macro_rules! statements {
    ($subject:literal, $count:ident = $count_name:literal, $used:ident = $used_name:literal) => {
        static $count: Statement = Statement::both(
            $count_name,
            concat!(
                "SELECT COUNT(*) AS tokens, COUNT(CASE WHEN r.last_used_at >= $3 THEN 1 END) AS used FROM (SELECT g.last_used_at",
                alive!($subject),
                " LIMIT $4) AS r"
            ),
        );
        static $used: Statement = Statement::both(
            $used_name,
            concat!(
                "SELECT g.id, g.name, g.last_used_at",
                alive!($subject),
                " AND g.last_used_at >= $3 ORDER BY g.last_used_at DESC, g.id DESC LIMIT $4"
            ),
        );
    };
}

statements!("user_id", COUNT_OF_USER = "reach.count_of_user", USED_OF_USER = "reach.used_of_user");
statements!("client_key", COUNT_OF_CLIENT = "reach.count_of_client", USED_OF_CLIENT = "reach.used_of_client");
statements!(
    "workspace_id",
    COUNT_OF_WORKSPACE = "reach.count_of_workspace",
    USED_OF_WORKSPACE = "reach.used_of_workspace"
);

pub(super) const STATEMENTS: &[&Statement] =
    &[&COUNT_OF_USER, &USED_OF_USER, &COUNT_OF_CLIENT, &USED_OF_CLIENT, &COUNT_OF_WORKSPACE, &USED_OF_WORKSPACE];

/// Counting more would take longer than revoking them.
const MAX_COUNTED: u32 = 100_000;
/// Enough to recognize what is still in use.
const MAX_SHOWN: u32 = 20;

/// Whose tokens.
#[derive(Clone, Copy, Debug)]
pub enum Holder {
    User(UserId),
    Client(ClientKey),
    Workspace(WorkspaceId),
}

/// What a revocation of everything of a holder reaches.
#[derive(Clone, Debug)]
pub struct Reach {
    pub tokens: u64,
    pub used: u64,
    /// False where there are more than were counted.
    pub complete: bool,
    /// Those that were used last, newest first.
    pub recent: Vec<UsedToken>,
}

/// A token that is in use.
#[derive(Clone, Debug)]
pub struct UsedToken {
    pub id: GrantId,
    pub name: Option<String>,
    pub last_used_at: Timestamp,
}

#[derive(FromRow)]
struct Count {
    tokens: i64,
    used: i64,
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    name: Option<String>,
    last_used_at: i64,
}

impl TryFrom<Row> for UsedToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: GrantId::from_bytes(decode::id_bytes(&row.id)?),
            name: row.name,
            last_used_at: Timestamp::from_ms(row.last_used_at),
        })
    }
}

impl Holder {
    const fn statements(&self) -> (&[u8; 16], &'static Statement, &'static Statement) {
        match self {
            Self::User(id) => (id.as_bytes(), &COUNT_OF_USER, &USED_OF_USER),
            Self::Client(key) => (key.as_bytes(), &COUNT_OF_CLIENT, &USED_OF_CLIENT),
            Self::Workspace(id) => (id.as_bytes(), &COUNT_OF_WORKSPACE, &USED_OF_WORKSPACE),
        }
    }
}

async fn read(db: &mut Db<'_>, holder: Holder, now: Timestamp, since: Timestamp) -> Result<Reach, StoreError> {
    let (subject, count, used) = holder.statements();
    let sql = db.sql(count);
    let counted: Count = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(&subject[..]).bind(now.ms()).bind(since.ms());
        query.bind(i64::from(MAX_COUNTED) + 1).fetch_one(&mut **conn).await
    })?;
    let sql = db.sql(used);
    let rows: Vec<Row> = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(&subject[..]).bind(now.ms()).bind(since.ms());
        query.bind(i64::from(MAX_SHOWN)).fetch_all(&mut **conn).await
    })?;
    let tokens = counted.tokens.unsigned_abs();
    Ok(Reach {
        tokens: tokens.min(MAX_COUNTED.into()),
        used: counted.used.unsigned_abs(),
        complete: tokens <= MAX_COUNTED.into(),
        recent: rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
    })
}

impl Store {
    /// What revoking everything of `holder` would reach; those used at or after `since` are told apart.
    pub(crate) async fn find_reach(
        &self,
        holder: Holder,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<Reach, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { read(&mut db, holder, now, since).await })).await
    }
}

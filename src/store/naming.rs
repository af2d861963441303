//! Which live grants name an API or a plan.

use sqlx::FromRow;

use super::database::Db;
use super::reach::{Reach, UsedToken};
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, WorkspaceId};

/// Names are stored as a JSON array of words without quotes and backslashes: a name stands in it between quotes. What
/// is alive is what a validation would find alive, sessions of a key with it.
macro_rules! naming {
    ($position:literal, $column:literal) => {
        concat!(
            " FROM grant_ g LEFT JOIN grant_ p ON p.id = g.parent_id WHERE g.workspace_id = $1 AND ",
            $position,
            "(CASE WHEN g.parent_id IS NULL THEN g.",
            $column,
            " ELSE p.",
            $column,
            " END, $2) > 0 AND g.state = 'active' AND g.deleted_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $3) \
             AND (g.import_id IS NULL OR EXISTS (SELECT 1 FROM legacy_import i WHERE i.id = g.import_id AND i.deadline > $3)) \
             AND g.revision >= COALESCE((SELECT MAX(k.revision) FROM cutoff k \
             WHERE k.subject IN (g.workspace_id, g.user_id, g.client_key, g.import_id) AND k.policy IN ('', g.policy)), 0) \
             AND (g.parent_id IS NULL OR (p.state = 'active' \
             AND p.revision >= COALESCE((SELECT MAX(k.revision) FROM cutoff k \
             WHERE k.subject IN (p.workspace_id, p.user_id, p.client_key) AND k.policy IN ('', p.policy)), 0)))"
        )
    };
}

macro_rules! count {
    ($position:literal, $column:literal) => {
        concat!(
            "SELECT COUNT(*), COUNT(CASE WHEN n.last_used_at >= $4 THEN 1 END) FROM (SELECT g.last_used_at",
            naming!($position, $column),
            " LIMIT $5) AS n"
        )
    };
}

macro_rules! used {
    ($position:literal, $column:literal) => {
        concat!(
            "SELECT g.id, g.name, g.last_used_at",
            naming!($position, $column),
            " AND g.last_used_at >= $4 ORDER BY g.last_used_at DESC, g.id DESC LIMIT $5"
        )
    };
}

static COUNT_API: Statement = Statement::each("naming.count_api", count!("instr", "apis"), count!("strpos", "apis"));
static COUNT_PLAN: Statement =
    Statement::each("naming.count_plan", count!("instr", "plans"), count!("strpos", "plans"));
static USED_API: Statement = Statement::each("naming.used_api", used!("instr", "apis"), used!("strpos", "apis"));
static USED_PLAN: Statement = Statement::each("naming.used_plan", used!("instr", "plans"), used!("strpos", "plans"));

pub(super) const STATEMENTS: &[&Statement] = &[&COUNT_API, &COUNT_PLAN, &USED_API, &USED_PLAN];

/// What is named, of which workspace.
#[derive(Clone, Debug)]
pub struct Named {
    pub workspace: WorkspaceId,
    pub kind: Kind,
    pub name: String,
}

/// APIs and plans have names of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Api,
    Plan,
}

/// Counting more would take longer than anybody waits.
const MAX_COUNTED: u32 = 100_000;
/// Enough to recognize what is still in use.
const MAX_SHOWN: u32 = 20;

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    name: Option<String>,
    last_used_at: i64,
}

async fn read(db: &mut Db<'_>, named: &Named, now: Timestamp, since: Timestamp) -> Result<Reach, StoreError> {
    let (workspace, quoted): (&[u8], _) = (named.workspace.as_bytes(), format!("\"{}\"", named.name));
    let (count, used) = match named.kind {
        Kind::Api => (&COUNT_API, &USED_API),
        Kind::Plan => (&COUNT_PLAN, &USED_PLAN),
    };
    let sql = db.sql(count);
    let (tokens, used_since): (i64, i64) = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(workspace).bind(&quoted).bind(now.ms()).bind(since.ms());
        query.bind(i64::from(MAX_COUNTED) + 1).fetch_one(&mut **conn).await
    })?;
    let sql = db.sql(used);
    let rows: Vec<Row> = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(workspace).bind(&quoted).bind(now.ms()).bind(since.ms());
        query.bind(i64::from(MAX_SHOWN)).fetch_all(&mut **conn).await
    })?;
    let recent = rows.into_iter().map(|row| {
        Ok(UsedToken {
            id: GrantId::from_bytes(decode::id_bytes(&row.id)?),
            name: row.name,
            last_used_at: Timestamp::from_ms(row.last_used_at),
        })
    });
    let tokens = tokens.unsigned_abs();
    Ok(Reach {
        tokens: tokens.min(MAX_COUNTED.into()),
        used: used_since.unsigned_abs(),
        complete: tokens <= MAX_COUNTED.into(),
        recent: recent.collect::<Result<_, StoreError>>()?,
    })
}

impl Store {
    /// The live grants that name an API or plan; those used at or after `since` are told apart.
    pub(crate) async fn find_naming(
        &self,
        named: Named,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<Reach, StoreError> {
        self.database
            .read(move |mut db| {
                let named = named.clone();
                Box::pin(async move { read(&mut db, &named, now, since).await })
            })
            .await
    }
}

//! Table `expiry_notice`: for which ends of tokens notices were given.
//!
//! Ids of grants begin with their end, so that a stretch of time is a range of the primary key; an index without the sessions of OAuth
//! clients makes it a short one. A stage's row is held while its notices are written: of all nodes one gives them, once.

use std::sync::Arc;

use sqlx::FromRow;

use super::audit::{self, AuditEvent};
use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::expiry_notice::Stage;
use crate::domain::ids::{ClientId, GrantId, ImportId, UserId, WorkspaceId};

static HOLD: Statement = Statement::each(
    "expiry_notice.hold",
    "SELECT grants, imports FROM expiry_notice WHERE stage = $1",
    "SELECT grants, imports FROM expiry_notice WHERE stage = $1 FOR UPDATE",
);
/// What ended before there were notices is not told.
static BEGIN: Statement = Statement::both(
    "expiry_notice.begin",
    "INSERT INTO expiry_notice (stage, grants, imports) VALUES ($1, $2, $3) ON CONFLICT (stage) DO NOTHING",
);
static ADVANCE: Statement =
    Statement::both("expiry_notice.advance", "UPDATE expiry_notice SET grants = $2, imports = $3 WHERE stage = $1");
/// Where a step of this many rows ends.
static STEP_END: Statement = Statement::both(
    "expiry_notice.step_end",
    "SELECT id FROM grant_ WHERE id >= $1 AND id < $2 AND origin <> 'oauth' ORDER BY id LIMIT 1 OFFSET $3",
);
/// Alive but for its end (the condition of a mass revocation), in use, and not made just now. An imported one ends with its import,
/// which is told of that, unless its own end is earlier.
static GRANTS: Statement = Statement::both(
    "expiry_notice.grants",
    "SELECT g.id, g.workspace_id, g.policy, g.name, g.user_id, c.client_id, g.expires_at, g.last_used_at FROM grant_ g \
     LEFT JOIN client c ON c.id = g.client_key LEFT JOIN legacy_import i ON i.id = g.import_id \
     WHERE g.id >= $1 AND g.id < $2 AND g.origin <> 'oauth' AND g.state = 'active' AND g.deleted_at IS NULL \
     AND g.last_used_at >= $3 AND g.created_at <= $4 AND (g.import_id IS NULL OR i.deadline > g.expires_at) \
     AND g.revision >= COALESCE((SELECT MAX(k.revision) FROM cutoff k \
     WHERE k.subject IN (g.workspace_id, g.user_id, g.client_key, g.import_id) AND k.policy IN ('', g.policy)), 0) \
     ORDER BY g.id",
);
static IMPORTS: Statement = Statement::both(
    "expiry_notice.imports",
    "SELECT i.id, i.workspace_id, i.source, i.deadline FROM legacy_import i JOIN workspace s ON s.id = i.workspace_id \
     WHERE s.deleted_at IS NULL AND i.state IN ('open', 'complete') AND i.deadline >= $1 AND i.deadline < $2 \
     AND EXISTS (SELECT 1 FROM grant_ g WHERE g.import_id = i.id AND g.last_used_at IS NOT NULL AND g.last_used_at >= $3) \
     ORDER BY i.deadline, i.id",
);

pub(super) const STATEMENTS: &[&Statement] = &[&HOLD, &BEGIN, &ADVANCE, &STEP_END, &GRANTS, &IMPORTS];

/// Rows of one step: a few milliseconds.
const STEP_ROWS: i64 = 1_000;

/// Which notices are to be given.
#[derive(Clone, Copy, Debug)]
pub struct Notices {
    pub stage: Stage,
    /// What ends before this is another stage's.
    pub from: Timestamp,
    pub to: Timestamp,
    /// Used since then.
    pub used_since: Timestamp,
    /// Made before.
    pub made_by: Timestamp,
}

/// What is about to end, or has ended.
#[derive(Clone, Debug)]
pub enum Ending {
    Grant {
        id: GrantId,
        workspace: WorkspaceId,
        policy: String,
        name: Option<String>,
        owner: String,
        ends_at: Timestamp,
        last_used_at: Timestamp,
    },
    Import {
        id: ImportId,
        workspace: WorkspaceId,
        source: String,
        ends_at: Timestamp,
    },
}

/// Makes the row of the audit that is the notice.
pub type Wording = Arc<dyn Fn(&Ending) -> AuditEvent + Send + Sync>;

#[derive(FromRow)]
struct Position {
    grants: Vec<u8>,
    imports: i64,
}

#[derive(FromRow)]
struct GrantRow {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    policy: String,
    name: Option<String>,
    user_id: Option<Vec<u8>>,
    client_id: Option<String>,
    expires_at: i64,
    last_used_at: i64,
}

#[derive(FromRow)]
struct ImportRow {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    source: String,
    deadline: i64,
}

impl TryFrom<GrantRow> for Ending {
    type Error = StoreError;

    fn try_from(row: GrantRow) -> Result<Self, StoreError> {
        let user = row.user_id.as_deref().map(decode::id_bytes).transpose()?.map(UserId::from_bytes);
        let client = row.client_id.map(|text| text.parse::<ClientId>().ok().ok_or(StoreError::Corrupt("client id")));
        let client = client.transpose()?;
        let owner = user.map(|id| id.to_string()).or_else(|| client.map(|id| id.to_string()));
        Ok(Self::Grant {
            id: GrantId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: workspace::id(&row.workspace_id)?,
            policy: row.policy,
            name: row.name,
            owner: owner.unwrap_or_default(),
            ends_at: Timestamp::from_ms(row.expires_at),
            last_used_at: Timestamp::from_ms(row.last_used_at),
        })
    }
}

impl TryFrom<ImportRow> for Ending {
    type Error = StoreError;

    fn try_from(row: ImportRow) -> Result<Self, StoreError> {
        Ok(Self::Import {
            id: ImportId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: workspace::id(&row.workspace_id)?,
            source: row.source,
            ends_at: Timestamp::from_ms(row.deadline),
        })
    }
}

/// One step; true when there are more.
async fn step(db: &mut Db<'_>, notices: &Notices, wording: &Wording) -> Result<bool, StoreError> {
    let Notices { stage, from, to, .. } = *notices;
    let (floor, end) = (GrantId::floor(from), GrantId::floor(to));
    let Some(told) = hold(db, stage, end, to).await? else {
        return Ok(false);
    };
    let low = GrantId::from_bytes(decode::id_bytes(&told.grants)?).max(floor);
    let (mut endings, mut high) = (Vec::new(), end);
    if low < end {
        let next = step_end(db, low, end).await?;
        high = next.unwrap_or(end);
        endings.extend(list_grants(db, notices, low, high).await?);
    }
    let imports = Timestamp::from_ms(told.imports).max(from);
    // With the first step of them all.
    if imports < to {
        endings.extend(list_imports(db, notices, imports).await?);
    }
    let rows: Vec<AuditEvent> = endings.iter().map(|ending| wording(ending)).collect();
    audit::insert(db, &rows.iter().collect::<Vec<_>>()).await?;
    let told_grants = GrantId::from_bytes(decode::id_bytes(&told.grants)?);
    advance(db, stage, high.max(told_grants), to.max(Timestamp::from_ms(told.imports))).await?;
    Ok(high < end)
}

/// Holds the row of a stage; makes it, as if all up to now had been told, where there is none.
async fn hold(db: &mut Db<'_>, stage: Stage, end: GrantId, to: Timestamp) -> Result<Option<Position>, StoreError> {
    let (hold, begin) = (db.sql(&HOLD), db.sql(&BEGIN));
    let end: &[u8] = end.as_bytes();
    Ok(on_conn!(db, |conn| {
        let held = sqlx::query_as(hold).bind(days(stage)).fetch_optional(&mut **conn).await?;
        if held.is_none() {
            sqlx::query(begin).bind(days(stage)).bind(end).bind(to.ms()).execute(&mut **conn).await?;
        }
        held
    }))
}

async fn step_end(db: &mut Db<'_>, low: GrantId, end: GrantId) -> Result<Option<GrantId>, StoreError> {
    let sql = db.sql(&STEP_END);
    let (low, end): (&[u8], &[u8]) = (low.as_bytes(), end.as_bytes());
    let found: Option<Vec<u8>> = on_conn!(db, |conn| {
        sqlx::query_scalar(sql).bind(low).bind(end).bind(STEP_ROWS).fetch_optional(&mut **conn).await
    })?;
    found.map(|id| decode::id_bytes(&id).map(GrantId::from_bytes)).transpose()
}

async fn list_grants(
    db: &mut Db<'_>,
    notices: &Notices,
    low: GrantId,
    high: GrantId,
) -> Result<Vec<Ending>, StoreError> {
    let sql = db.sql(&GRANTS);
    let (low, high): (&[u8], &[u8]) = (low.as_bytes(), high.as_bytes());
    let rows: Vec<GrantRow> = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(low).bind(high);
        query.bind(notices.used_since.ms()).bind(notices.made_by.ms()).fetch_all(&mut **conn).await
    })?;
    rows.into_iter().map(TryInto::try_into).collect()
}

async fn list_imports(db: &mut Db<'_>, notices: &Notices, from: Timestamp) -> Result<Vec<Ending>, StoreError> {
    let sql = db.sql(&IMPORTS);
    let rows: Vec<ImportRow> = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(from.ms()).bind(notices.to.ms());
        query.bind(notices.used_since.ms()).fetch_all(&mut **conn).await
    })?;
    rows.into_iter().map(TryInto::try_into).collect()
}

async fn advance(db: &mut Db<'_>, stage: Stage, grants: GrantId, imports: Timestamp) -> Result<(), StoreError> {
    let sql = db.sql(&ADVANCE);
    let grants: &[u8] = grants.as_bytes();
    on_conn!(db, |conn| {
        sqlx::query(sql).bind(days(stage)).bind(grants).bind(imports.ms()).execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

fn days(stage: Stage) -> i32 {
    stage.days().cast_signed()
}

impl Store {
    /// Gives the notices of a stage that are due, each once.
    pub(crate) async fn give_notices(&self, notices: Notices, wording: Wording) -> Result<(), StoreError> {
        let mut more = true;
        while more {
            let wording = Arc::clone(&wording);
            more = self
                .database
                .transact("expiry_notice.step", move |mut db| {
                    let wording = Arc::clone(&wording);
                    Box::pin(async move { step(&mut db, &notices, &wording).await })
                })
                .await?;
        }
        Ok(())
    }
}

//! Table `refusal`: requests that were refused, for a short time.

use std::sync::Arc;

use sqlx::FromRow;

use super::database::{Db, DbConn};
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, RefusalId, TokenId, WorkspaceId};
use crate::domain::refusal::Rule;

macro_rules! columns {
    () => {
        "id, at, workspace_id, request_id, token_id, grant_id, endpoint, rule, detail, occurrences"
    };
}

static INSERT: Statement = Statement::each(
    "refusal.insert",
    concat!("INSERT INTO refusal (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"),
    concat!(
        "INSERT INTO refusal (",
        columns!(),
        ") SELECT * FROM UNNEST($1::bytea[], $2::bigint[], $3::bytea[], $4::text[], $5::bytea[], $6::bytea[], $7::text[], \
         $8::text[], $9::text[], $10::bigint[])"
    ),
);
static OF_REQUEST: Statement = Statement::both(
    "refusal.of_request",
    concat!(
        "SELECT ",
        columns!(),
        " FROM refusal WHERE request_id = $1 AND (workspace_id IS NULL OR workspace_id = $2) ORDER BY id DESC LIMIT $3"
    ),
);
static OF_GRANT: Statement = Statement::both(
    "refusal.of_grant",
    concat!("SELECT ", columns!(), " FROM refusal WHERE grant_id = $1 ORDER BY at DESC, id DESC LIMIT $2"),
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &OF_REQUEST, &OF_GRANT];

/// A request that was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub id: RefusalId,
    pub at: Timestamp,
    /// Whose it is, where a token was proven.
    pub workspace: Option<WorkspaceId>,
    pub request_id: String,
    /// The public id of a token that was proven. The token itself is nowhere.
    pub token: Option<TokenId>,
    pub grant: Option<GrantId>,
    /// Method and route.
    pub endpoint: String,
    pub rule: Rule,
    pub detail: Option<String>,
    /// This one, and others like it that were not written.
    pub occurrences: i64,
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    at: i64,
    workspace_id: Option<Vec<u8>>,
    request_id: String,
    token_id: Option<Vec<u8>>,
    grant_id: Option<Vec<u8>>,
    endpoint: String,
    rule: String,
    detail: Option<String>,
    occurrences: i64,
}

impl TryFrom<Row> for Refusal {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let bytes = |column: Option<Vec<u8>>| column.as_deref().map(decode::id_bytes).transpose();
        Ok(Self {
            id: RefusalId::from_bytes(decode::id_bytes(&row.id)?),
            at: Timestamp::from_ms(row.at),
            workspace: row.workspace_id.as_deref().map(workspace::id).transpose()?,
            request_id: row.request_id,
            token: bytes(row.token_id)?.map(TokenId::from_bytes),
            grant: bytes(row.grant_id)?.map(GrantId::from_bytes),
            endpoint: row.endpoint,
            rule: decode::word(&row.rule, Rule::from_code)?,
            detail: row.detail,
            occurrences: row.occurrences,
        })
    }
}

async fn insert(db: &mut Db<'_>, refusals: &[Refusal]) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for refusal in refusals {
                let query = sqlx::query(sql)
                    .bind(&refusal.id.as_bytes()[..])
                    .bind(refusal.at.ms())
                    .bind(workspace_bytes(refusal))
                    .bind(&refusal.request_id)
                    .bind(token_bytes(refusal))
                    .bind(grant_bytes(refusal))
                    .bind(&refusal.endpoint)
                    .bind(refusal.rule.code())
                    .bind(&refusal.detail)
                    .bind(refusal.occurrences);
                query.execute(&mut **conn).await?;
            }
        }
        DbConn::Postgres(conn) => {
            sqlx::query(sql)
                .bind(refusals.iter().map(|refusal| &refusal.id.as_bytes()[..]).collect::<Vec<_>>())
                .bind(refusals.iter().map(|refusal| refusal.at.ms()).collect::<Vec<_>>())
                .bind(refusals.iter().map(workspace_bytes).collect::<Vec<_>>())
                .bind(refusals.iter().map(|refusal| refusal.request_id.as_str()).collect::<Vec<_>>())
                .bind(refusals.iter().map(token_bytes).collect::<Vec<_>>())
                .bind(refusals.iter().map(grant_bytes).collect::<Vec<_>>())
                .bind(refusals.iter().map(|refusal| refusal.endpoint.as_str()).collect::<Vec<_>>())
                .bind(refusals.iter().map(|refusal| refusal.rule.code()).collect::<Vec<_>>())
                .bind(refusals.iter().map(|refusal| refusal.detail.as_deref()).collect::<Vec<_>>())
                .bind(refusals.iter().map(|refusal| refusal.occurrences).collect::<Vec<_>>())
                .execute(&mut **conn)
                .await?;
        }
    }
    Ok(())
}

fn workspace_bytes(refusal: &Refusal) -> Option<&[u8]> {
    refusal.workspace.as_ref().map(|id| &id.as_bytes()[..])
}

fn token_bytes(refusal: &Refusal) -> Option<&[u8]> {
    refusal.token.as_ref().map(|id| &id.as_bytes()[..])
}

fn grant_bytes(refusal: &Refusal) -> Option<&[u8]> {
    refusal.grant.as_ref().map(|id| &id.as_bytes()[..])
}

impl Store {
    /// Writes a batch of refusals.
    pub(crate) async fn insert_refusals(&self, refusals: Arc<[Refusal]>) -> Result<(), StoreError> {
        self.database
            .transact("refusal.insert", move |mut db| {
                let refusals = Arc::clone(&refusals);
                Box::pin(async move { insert(&mut db, &refusals).await })
            })
            .await
    }

    /// The refusals of a request that are the workspace's, or nobody's, newest first.
    pub(crate) async fn list_refusals_of_request(
        &self,
        request_id: String,
        workspace: WorkspaceId,
        limit: u32,
    ) -> Result<Vec<Refusal>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                let request_id = request_id.clone();
                Box::pin(async move {
                    let sql = db.sql(&OF_REQUEST);
                    let workspace: &[u8] = workspace.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query_as(sql).bind(&request_id).bind(workspace).bind(i64::from(limit));
                        query.fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The newest refusals of tokens of this grant.
    pub(crate) async fn list_refusals_of_grant(&self, grant: GrantId, limit: u32) -> Result<Vec<Refusal>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&OF_GRANT);
                    let key: &[u8] = grant.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_as(sql).bind(key).bind(i64::from(limit)).fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

//! Table `refresh_family`: the state of a grant's chain of refresh tokens.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::family::{Family, Rotation};
use crate::domain::ids::{GrantId, TokenId};
use crate::domain::keys::KeyVersion;

static INSERT: Statement = Statement::both(
    "family.insert",
    "INSERT INTO refresh_family (grant_id, generation, current_token, successor_used) VALUES ($1, 0, $2, FALSE)",
);
static LOCK: Statement = Statement::each(
    "family.lock",
    "SELECT generation, current_token, rotated_from, nonce, key_version, rotated_at, access_expires_at, access_scopes, \
     successor_used FROM refresh_family WHERE grant_id = $1",
    "SELECT generation, current_token, rotated_from, nonce, key_version, rotated_at, access_expires_at, access_scopes, \
     successor_used FROM refresh_family WHERE grant_id = $1 FOR UPDATE",
);
static ROTATE: Statement = Statement::both(
    "family.rotate",
    "UPDATE refresh_family SET generation = $2, current_token = $3, rotated_from = $4, nonce = $5, key_version = $6, \
     rotated_at = $7, access_expires_at = $8, access_scopes = $9, successor_used = FALSE WHERE grant_id = $1",
);

static RESTART: Statement = Statement::both(
    "family.restart",
    "UPDATE refresh_family SET generation = $2, current_token = $3, rotated_from = NULL, nonce = NULL, key_version = NULL, \
     rotated_at = NULL, access_expires_at = NULL, access_scopes = NULL, successor_used = FALSE WHERE grant_id = $1",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &LOCK, &ROTATE, &RESTART];

#[derive(FromRow)]
struct Row {
    generation: i64,
    current_token: Vec<u8>,
    rotated_from: Option<Vec<u8>>,
    nonce: Option<Vec<u8>>,
    key_version: Option<i32>,
    rotated_at: Option<i64>,
    access_expires_at: Option<i64>,
    access_scopes: Option<String>,
    successor_used: bool,
}

impl TryFrom<Row> for Family {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let rotation = match row {
            Row {
                rotated_from: Some(from),
                nonce: Some(nonce),
                key_version: Some(key_version),
                rotated_at: Some(at),
                access_expires_at: Some(access_expires_at),
                access_scopes: Some(access_scopes),
                successor_used,
                ..
            } => Some(Rotation {
                from: TokenId::from_bytes(decode::id_bytes(&from)?),
                nonce: decode::bytes_32(&nonce)?,
                key_version: KeyVersion::from_i32(key_version),
                at: Timestamp::from_ms(at),
                access_expires_at: Timestamp::from_ms(access_expires_at),
                access_scopes: access_scopes.parse().ok().ok_or(StoreError::Corrupt("scope"))?,
                successor_used,
            }),
            _ => None,
        };
        Ok(Self {
            generation: row.generation,
            current: TokenId::from_bytes(decode::id_bytes(&row.current_token)?),
            rotation,
        })
    }
}

/// Starts the family of `grant` with its first refresh token.
pub(super) async fn insert(db: &mut Db<'_>, grant: GrantId, first: TokenId) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let (grant, first): (&[u8], &[u8]) = (grant.as_bytes(), first.as_bytes());
    on_conn!(db, |conn| sqlx::query(sql).bind(grant).bind(first).execute(&mut **conn).await.map(drop))?;
    Ok(())
}

/// Reads a family and holds its row until the transaction ends.
pub(super) async fn lock(db: &mut Db<'_>, grant: GrantId) -> Result<Option<Family>, StoreError> {
    let sql = db.sql(&LOCK);
    let key: &[u8] = grant.as_bytes();
    let row: Option<Row> = on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?;
    row.map(TryInto::try_into).transpose()
}

/// Makes `first` the only refresh token of the family; what was current before is a replay from now on.
pub(super) async fn restart(
    db: &mut Db<'_>,
    grant: GrantId,
    generation: i64,
    first: TokenId,
) -> Result<(), StoreError> {
    let sql = db.sql(&RESTART);
    let (grant, first): (&[u8], &[u8]) = (grant.as_bytes(), first.as_bytes());
    on_conn!(db, |conn| {
        sqlx::query(sql).bind(grant).bind(generation).bind(first).execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

/// Stores the state after a rotation.
pub(super) async fn rotate(db: &mut Db<'_>, grant: GrantId, family: &Family) -> Result<(), StoreError> {
    let Some(rotation) = &family.rotation else {
        return Err(StoreError::Corrupt("rotation"));
    };
    let sql = db.sql(&ROTATE);
    let key: &[u8] = grant.as_bytes();
    let (current, from): (&[u8], &[u8]) = (family.current.as_bytes(), rotation.from.as_bytes());
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(key)
            .bind(family.generation)
            .bind(current)
            .bind(from)
            .bind(&rotation.nonce[..])
            .bind(rotation.key_version.as_i32())
            .bind(rotation.at.ms())
            .bind(rotation.access_expires_at.ms())
            .bind(rotation.access_scopes.to_string());
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

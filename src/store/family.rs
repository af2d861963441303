//! Table `refresh_family`: the state of a grant's chain of refresh tokens.

use sqlx::FromRow;

use super::database::{Db, PgQuery};
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

/// The columns of a family as [`Row`] reads them.
macro_rules! family_columns {
    () => {
        "f.generation, f.current_token, f.rotated_from, f.nonce, f.key_version, f.rotated_at, f.access_expires_at, \
         f.access_scopes, f.successor_used"
    };
}
/// PostgreSQL: what of a family `f` a rotation `x` changes.
macro_rules! family_moves {
    () => {
        "UPDATE refresh_family f SET generation = x.generation, current_token = x.current_token, \
         rotated_from = x.rotated_from, nonce = x.nonce, key_version = x.key_version, rotated_at = x.rotated_at, \
         access_expires_at = x.access_expires_at, access_scopes = x.access_scopes, successor_used = FALSE "
    };
}
/// PostgreSQL: stores the rotations whose columns [`bind_all`] gives as the parameters 17 to 25.
macro_rules! family_rotate {
    () => {
        concat!(
            $crate::store::family::family_moves!(),
            "FROM UNNEST($17::bytea[], $18::bigint[], $19::bytea[], $20::bytea[], $21::bytea[], $22::integer[], \
             $23::bigint[], $24::bigint[], $25::text[]) AS x (grant_id, generation, current_token, rotated_from, nonce, \
             key_version, rotated_at, access_expires_at, access_scopes) WHERE f.grant_id = x.grant_id"
        )
    };
}
pub(super) use {family_columns, family_moves, family_rotate};

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &LOCK, &ROTATE, &RESTART];

#[derive(FromRow)]
pub(super) struct Row {
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

/// A family that a rotation has moved on.
pub(super) struct Rotated<'a> {
    pub grant: GrantId,
    pub family: &'a Family,
    pub rotation: &'a Rotation,
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
pub(super) async fn rotate(db: &mut Db<'_>, rotated: &Rotated<'_>) -> Result<(), StoreError> {
    let sql = db.sql(&ROTATE);
    let Rotated { grant, family, rotation } = rotated;
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

/// The columns of `rotated`, an array each. No family is in it twice.
pub(super) fn bind_all<'q>(query: PgQuery<'q>, rotated: &[Rotated<'_>]) -> PgQuery<'q> {
    query
        .bind(rotated.iter().map(|one| &one.grant.as_bytes()[..]).collect::<Vec<_>>())
        .bind(rotated.iter().map(|one| one.family.generation).collect::<Vec<_>>())
        .bind(rotated.iter().map(|one| &one.family.current.as_bytes()[..]).collect::<Vec<_>>())
        .bind(rotated.iter().map(|one| &one.rotation.from.as_bytes()[..]).collect::<Vec<_>>())
        .bind(rotated.iter().map(|one| &one.rotation.nonce[..]).collect::<Vec<_>>())
        .bind(rotated.iter().map(|one| one.rotation.key_version.as_i32()).collect::<Vec<_>>())
        .bind(rotated.iter().map(|one| one.rotation.at.ms()).collect::<Vec<_>>())
        .bind(rotated.iter().map(|one| one.rotation.access_expires_at.ms()).collect::<Vec<_>>())
        .bind(rotated.iter().map(|one| one.rotation.access_scopes.to_string()).collect::<Vec<_>>())
}

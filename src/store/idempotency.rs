//! Table `idempotency`: what a create with an `Idempotency-Key` has made, so that a repeat makes nothing new.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::keys::KeyVersion;

/// The first call stays; one that is out of date gives its place away.
static RESERVE: Statement = Statement::both(
    "idempotency.reserve",
    "INSERT INTO idempotency (key_digest, request_digest, target, nonce, key_version, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key_digest) DO UPDATE SET request_digest = excluded.request_digest, \
     target = excluded.target, nonce = excluded.nonce, key_version = excluded.key_version, \
     created_at = excluded.created_at WHERE idempotency.created_at < $7",
);
static FIND: Statement = Statement::both(
    "idempotency.find",
    "SELECT request_digest, target, nonce, key_version, created_at FROM idempotency WHERE key_digest = $1",
);

pub(super) const STATEMENTS: &[&Statement] = &[&RESERVE, &FIND];

/// What the first call with a key was, and what its secrets are derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub request_digest: [u8; 32],
    /// The id of what is made.
    pub target: [u8; 16],
    pub nonce: [u8; 32],
    pub key_version: KeyVersion,
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    request_digest: Vec<u8>,
    target: Vec<u8>,
    nonce: Vec<u8>,
    key_version: i32,
    created_at: i64,
}

impl TryFrom<Row> for Reservation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            request_digest: decode::bytes_32(&row.request_digest)?,
            target: decode::id_bytes(&row.target)?,
            nonce: decode::bytes_32(&row.nonce)?,
            key_version: KeyVersion::from_i32(row.key_version),
            created_at: Timestamp::from_ms(row.created_at),
        })
    }
}

async fn reserve(
    db: &mut Db<'_>,
    key: &[u8; 32],
    own: &Reservation,
    stale_before: Timestamp,
) -> Result<Reservation, StoreError> {
    let sql = db.sql(&RESERVE);
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(&key[..])
            .bind(&own.request_digest[..])
            .bind(&own.target[..])
            .bind(&own.nonce[..])
            .bind(own.key_version.as_i32())
            .bind(own.created_at.ms())
            .bind(stale_before.ms());
        query.execute(&mut **conn).await.map(drop)
    })?;
    let sql = db.sql(&FIND);
    let row: Row = on_conn!(db, |conn| sqlx::query_as(sql).bind(&key[..]).fetch_one(&mut **conn).await)?;
    row.try_into()
}

impl Store {
    /// Returns once `own` is durable, or what an earlier call with this key has reserved.
    pub(crate) async fn reserve(
        &self,
        key: [u8; 32],
        own: Reservation,
        stale_before: Timestamp,
    ) -> Result<Reservation, StoreError> {
        self.database
            .transact("idempotency.reserve", move |mut db| {
                Box::pin(async move { reserve(&mut db, &key, &own, stale_before).await })
            })
            .await
    }
}

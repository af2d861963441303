//! Table `key_session`: the session that a long-lived key last opened.

use std::sync::Arc;

use sqlx::FromRow;

use super::audit::{self, AuditEvent};
use super::database::Db;
use super::grant::{self, NewGrant};
use super::statement::Statement;
use super::token::{self, NewToken};
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::grant::Dead;
use crate::domain::ids::{GrantId, TokenId};
use crate::domain::keys::KeyVersion;

static FIND: Statement = Statement::both(
    "key_session.find",
    "SELECT grant_id, nonce, key_version, issued_at, expires_at FROM key_session WHERE key_token_id = $1",
);
static REPLACE: Statement = Statement::both(
    "key_session.replace",
    "INSERT INTO key_session (key_token_id, grant_id, nonce, key_version, issued_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key_token_id) DO UPDATE SET grant_id = excluded.grant_id, \
     nonce = excluded.nonce, key_version = excluded.key_version, issued_at = excluded.issued_at, \
     expires_at = excluded.expires_at",
);

pub(super) const STATEMENTS: &[&Statement] = &[&FIND, &REPLACE];

/// How the access token of a session was derived from its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySession {
    pub grant: GrantId,
    pub nonce: [u8; 32],
    pub key_version: KeyVersion,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A session to open for a key.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub key_grant: GrantId,
    /// The key itself: each secret that a key has had opens sessions of its own.
    pub key: TokenId,
    pub now: Timestamp,
    /// A session that ends at or before this moment is near its end, and a new one is opened.
    pub not_ending_before: Timestamp,
    pub session: KeySession,
    pub grant: NewGrant,
    pub token: NewToken,
    pub audit: AuditEvent,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Opened {
    /// The session to use: the new one, or one that another call opened first.
    Session(KeySession),
    /// The key's own grant is not alive.
    Dead(Dead),
}

#[derive(FromRow)]
struct Row {
    grant_id: Vec<u8>,
    nonce: Vec<u8>,
    key_version: i32,
    issued_at: i64,
    expires_at: i64,
}

async fn find(db: &mut Db<'_>, key: TokenId, not_ending_before: Timestamp) -> Result<Option<KeySession>, StoreError> {
    let sql = db.sql(&FIND);
    let key: &[u8] = key.as_bytes();
    let row: Option<Row> = on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?;
    let Some(row) = row.filter(|row| row.expires_at > not_ending_before.ms()) else {
        return Ok(None);
    };
    let session = GrantId::from_bytes(decode::id_bytes(&row.grant_id)?);
    // Alive by every rule, mass revocations included: else the key gets a new session.
    let live = grant::find(db, session).await?.and_then(|grant| grant.live(not_ending_before).ok());
    if live.is_none() {
        return Ok(None);
    }
    Ok(Some(KeySession {
        grant: session,
        nonce: decode::bytes_32(&row.nonce)?,
        key_version: KeyVersion::from_i32(row.key_version),
        issued_at: Timestamp::from_ms(row.issued_at),
        expires_at: Timestamp::from_ms(row.expires_at),
    }))
}

async fn open(db: &mut Db<'_>, open: &OpenSession) -> Result<Opened, StoreError> {
    // The lock on the key's row makes concurrent calls agree on one session, and keeps a revocation of the key out.
    let Some(key) = grant::lock(db, open.key_grant).await? else {
        return Ok(Opened::Dead(Dead::Revoked));
    };
    if let Err(dead) = key.live(open.now) {
        return Ok(Opened::Dead(dead));
    }
    if let Some(session) = find(db, open.key, open.not_ending_before).await? {
        return Ok(Opened::Session(session));
    }
    grant::insert(db, &[&open.grant]).await?;
    token::insert(db, &[&open.token]).await?;
    let sql = db.sql(&REPLACE);
    let (key, grant): (&[u8], &[u8]) = (open.key.as_bytes(), open.session.grant.as_bytes());
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(key)
            .bind(grant)
            .bind(&open.session.nonce[..])
            .bind(open.session.key_version.as_i32())
            .bind(open.session.issued_at.ms())
            .bind(open.session.expires_at.ms());
        query.execute(&mut **conn).await.map(drop)
    })?;
    audit::insert(db, &[&open.audit]).await?;
    Ok(Opened::Session(open.session))
}

impl Store {
    /// The key's session, if it has a live one that does not end before the given moment.
    pub(crate) async fn find_key_session(
        &self,
        key: TokenId,
        not_ending_before: Timestamp,
    ) -> Result<Option<KeySession>, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { find(&mut db, key, not_ending_before).await })).await
    }

    /// Opens a session for a key, or returns the one that is open.
    pub(crate) async fn open_key_session(&self, session: OpenSession) -> Result<Opened, StoreError> {
        let session = Arc::new(session);
        self.database
            .transact("key_session.open", move |mut db| {
                let session = Arc::clone(&session);
                Box::pin(async move { open(&mut db, &session).await })
            })
            .await
    }
}

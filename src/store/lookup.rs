//! The one read that decides whether a token is alive: token, grant, owner, parent and cut-offs in one round trip.

use sqlx::FromRow;

use super::database::{Db, DbConn};
use super::grant::{self, grant_columns, grant_joins};
use super::group_read::{Found, Lookup};
use super::statement::Statement;
use super::token::kind_name;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Revision};
use crate::domain::ids::TokenId;
use crate::domain::keys::KeyVersion;
use crate::domain::scope::Scopes;
use crate::domain::secret::Digest;
use crate::domain::token_string::{PresentedToken, TokenKind};

macro_rules! token_select {
    () => {
        concat!(
            "SELECT t.id AS token_id, t.kind AS token_kind, t.digest, t.key_version, t.generation, \
             t.scopes AS token_scopes, t.issued_at, (SELECT seq FROM revocation_head WHERE id = 1) AS as_of, ",
            grant_columns!(),
            " FROM token t JOIN grant_ g ON g.id = t.grant_id ",
            grant_joins!(),
            " WHERE t.id "
        )
    };
}

static TOKENS: Statement =
    Statement::each("lookup.tokens", concat!(token_select!(), "= $1"), concat!(token_select!(), "= ANY($1)"));

pub(super) const STATEMENTS: &[&Statement] = &[&TOKENS];

/// A stored token with the grant it was issued under.
#[derive(Clone, Debug)]
pub struct StoredToken {
    pub id: TokenId,
    pub kind: TokenKind,
    pub digest: Digest,
    pub key_version: KeyVersion,
    pub generation: i64,
    /// What this token may do: the grant's scopes or fewer.
    pub scopes: Scopes,
    pub issued_at: Timestamp,
    pub grant: Grant,
    /// The newest revision in the snapshot that it was read from.
    pub as_of: Revision,
}

impl StoredToken {
    /// Whether `presented` is this very secret. Constant time.
    pub(crate) fn is_proven_by(&self, presented: &PresentedToken) -> bool {
        self.kind == presented.kind
            && self.key_version == presented.key_version
            && self.digest.matches(&presented.digest)
    }
}

#[derive(FromRow)]
struct Row {
    token_id: Vec<u8>,
    token_kind: String,
    digest: Vec<u8>,
    key_version: i32,
    generation: i64,
    token_scopes: Option<String>,
    issued_at: i64,
    as_of: i64,
    #[sqlx(flatten)]
    grant: grant::Row,
}

impl TryFrom<Row> for StoredToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let grant: Grant = row.grant.try_into()?;
        let scopes = match row.token_scopes {
            Some(text) => text.parse().ok().ok_or(StoreError::Corrupt("scope"))?,
            None => grant.scopes.clone(),
        };
        let kinds = [TokenKind::Access, TokenKind::Refresh, TokenKind::Key, TokenKind::ClientSecret];
        Ok(Self {
            id: TokenId::from_bytes(decode::id_bytes(&row.token_id)?),
            kind: decode::word(&row.token_kind, |name| kinds.into_iter().find(|kind| kind_name(*kind) == name))?,
            digest: decode::digest(&row.digest)?,
            key_version: KeyVersion::from_i32(row.key_version),
            generation: row.generation,
            scopes,
            issued_at: Timestamp::from_ms(row.issued_at),
            grant,
            as_of: Revision::new(row.as_of),
        })
    }
}

/// Tokens by their public id.
pub(super) struct TokenLookup;

impl Lookup for TokenLookup {
    type Key = TokenId;
    type Value = StoredToken;

    async fn read(db: &mut Db<'_>, keys: &[TokenId]) -> Result<Found<Self>, StoreError> {
        let sql = db.sql(&TOKENS);
        let rows: Vec<Row> = match &mut db.conn {
            DbConn::Sqlite(conn) => {
                let mut rows = Vec::with_capacity(keys.len());
                for key in keys {
                    rows.extend(sqlx::query_as(sql).bind(&key.as_bytes()[..]).fetch_optional(&mut **conn).await?);
                }
                rows
            }
            DbConn::Postgres(conn) => {
                let keys: Vec<&[u8]> = keys.iter().map(|key| &key.as_bytes()[..]).collect();
                sqlx::query_as(sql).bind(keys).fetch_all(&mut **conn).await?
            }
        };
        let found = rows.into_iter().map(|row| {
            let id = TokenId::from_bytes(decode::id_bytes(&row.token_id)?);
            Ok((id, row.try_into()))
        });
        found.collect()
    }
}

impl Store {
    pub(crate) async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        #[cfg(jeton_mutants)]
        if crate::domain::mutant::is(crate::domain::mutant::Mutant::UnconditionalJoin) {
            return super::joining::find(self, id).await;
        }
        self.tokens.find(id).await
    }
}

//! The one read that decides whether a token is alive: token, grant, owner, parent and cut-offs in one round trip.

use sqlx::FromRow;

use super::database::Db;
use super::grant::{self, grant_columns, grant_joins};
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

static TOKEN: Statement = Statement::both(
    "lookup.token",
    concat!(
        "SELECT t.kind AS token_kind, t.digest, t.key_version, t.generation, t.scopes AS token_scopes, t.issued_at, \
         (SELECT seq FROM revocation_head WHERE id = 1) AS as_of, ",
        grant_columns!(),
        " FROM token t JOIN grant_ g ON g.id = t.grant_id ",
        grant_joins!(),
        " WHERE t.id = $1"
    ),
);

pub(super) const STATEMENTS: &[&Statement] = &[&TOKEN];

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

impl Store {
    pub(crate) async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { find(&mut db, id).await })).await
    }
}

pub(super) async fn find(db: &mut Db<'_>, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
    let sql = db.sql(&TOKEN);
    let key: &[u8] = id.as_bytes();
    let row: Option<Row> = on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let grant: Grant = row.grant.try_into()?;
    let scopes = match row.token_scopes {
        Some(text) => text.parse().ok().ok_or(StoreError::Corrupt("scope"))?,
        None => grant.scopes.clone(),
    };
    let kinds = [TokenKind::Access, TokenKind::Refresh, TokenKind::Key, TokenKind::ClientSecret];
    Ok(Some(StoredToken {
        id,
        kind: decode::word(&row.token_kind, |name| kinds.into_iter().find(|kind| kind_name(*kind) == name))?,
        digest: decode::digest(&row.digest)?,
        key_version: KeyVersion::from_i32(row.key_version),
        generation: row.generation,
        scopes,
        issued_at: Timestamp::from_ms(row.issued_at),
        grant,
        as_of: Revision::new(row.as_of),
    }))
}

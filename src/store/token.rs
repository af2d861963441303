//! Table `token`: one row per secret that was handed out, keyed by its public id.

use super::StoreError;
use super::database::{Db, DbConn, PgQuery};
use super::statement::Statement;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, TokenId};
use crate::domain::keys::KeyVersion;
use crate::domain::scope::Scopes;
use crate::domain::secret::Digest;
use crate::domain::token_string::{MintedToken, TokenKind};

/// PostgreSQL: inserts the tokens whose columns [`bind_all`] gives as the parameters of these numbers.
macro_rules! token_insert {
    ($id:literal $kind:literal $grant:literal $digest:literal $key:literal $generation:literal $scopes:literal $at:literal) => {
        concat!(
            "INSERT INTO token (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) \
             SELECT * FROM UNNEST($",
            $id,
            "::bytea[], $",
            $kind,
            "::text[], $",
            $grant,
            "::bytea[], $",
            $digest,
            "::bytea[], $",
            $key,
            "::integer[], $",
            $generation,
            "::bigint[], $",
            $scopes,
            "::text[], $",
            $at,
            "::bigint[])"
        )
    };
}
pub(super) use token_insert;

static INSERT: Statement = Statement::each(
    "token.insert",
    "INSERT INTO token (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    token_insert!(1 2 3 4 5 6 7 8),
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT];

/// A token to store: never the secret, only its digest.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub id: TokenId,
    pub kind: TokenKind,
    pub grant: GrantId,
    pub digest: Digest,
    pub key_version: KeyVersion,
    /// The refresh generation it belongs to; 0 where there is no family.
    pub generation: i64,
    /// `None`: all of the grant's.
    pub scopes: Option<Scopes>,
    pub issued_at: Timestamp,
}

impl NewToken {
    /// The row of a freshly minted token.
    #[must_use]
    pub fn of(minted: &MintedToken, grant: GrantId, issued_at: Timestamp) -> Self {
        Self {
            id: minted.id,
            kind: minted.kind,
            grant,
            digest: minted.digest,
            key_version: minted.key_version,
            generation: 0,
            scopes: None,
            issued_at,
        }
    }
}

/// How a kind is written in the table.
pub(super) const fn kind_name(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Access => "a",
        TokenKind::Refresh => "r",
        TokenKind::Key => "k",
        TokenKind::ClientSecret => "s",
    }
}

/// Writes all `tokens`; one statement on PostgreSQL.
pub(super) async fn insert(db: &mut Db<'_>, tokens: &[&NewToken]) -> Result<(), StoreError> {
    if tokens.is_empty() {
        return Ok(());
    }
    let sql = db.sql(&INSERT);
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for token in tokens {
                let (id, grant, digest): (&[u8], &[u8], &[u8]) =
                    (token.id.as_bytes(), token.grant.as_bytes(), token.digest.as_bytes());
                sqlx::query(sql)
                    .bind(id)
                    .bind(kind_name(token.kind))
                    .bind(grant)
                    .bind(digest)
                    .bind(token.key_version.as_i32())
                    .bind(token.generation)
                    .bind(scopes_text(token))
                    .bind(token.issued_at.ms())
                    .execute(&mut **conn)
                    .await?;
            }
        }
        DbConn::Postgres(conn) => {
            bind_all(sqlx::query(sql), tokens).execute(&mut **conn).await?;
        }
    }
    Ok(())
}

/// The columns of `tokens`, an array each.
pub(super) fn bind_all<'q>(query: PgQuery<'q>, tokens: &[&NewToken]) -> PgQuery<'q> {
    query
        .bind(tokens.iter().map(|token| &token.id.as_bytes()[..]).collect::<Vec<_>>())
        .bind(tokens.iter().map(|token| kind_name(token.kind)).collect::<Vec<_>>())
        .bind(tokens.iter().map(|token| &token.grant.as_bytes()[..]).collect::<Vec<_>>())
        .bind(tokens.iter().map(|token| &token.digest.as_bytes()[..]).collect::<Vec<_>>())
        .bind(tokens.iter().map(|token| token.key_version.as_i32()).collect::<Vec<_>>())
        .bind(tokens.iter().map(|token| token.generation).collect::<Vec<_>>())
        .bind(tokens.iter().map(|token| scopes_text(token)).collect::<Vec<_>>())
        .bind(tokens.iter().map(|token| token.issued_at.ms()).collect::<Vec<_>>())
}

fn scopes_text(token: &NewToken) -> Option<String> {
    token.scopes.as_ref().map(ToString::to_string)
}

//! Finds the rows that a presented foreign string may be, and how to make their digests from it.

use std::sync::Arc;

use sqlx::FromRow;

use super::database::{Db, DbConn};
use super::grant::{self, grant_columns, grant_joins};
use super::group_read::{Found, Lookup};
use super::legacy_claim::hex_list;
use super::legacy_import::{SealedKey, sealed_key};
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Revision};
use crate::domain::ids::{ImportId, TokenId};
use crate::domain::legacy::Hashed;
use crate::domain::secret::Digest;

static RECIPES: Statement = Statement::both(
    "legacy_lookup.recipes",
    "SELECT id, scheme, hashed, separator, hmac_key, hmac_key_version FROM legacy_import WHERE state <> 'purged'",
);

macro_rules! legacy_select {
    () => {
        concat!(
            "SELECT l.lookup, l.id AS token_id, l.hash, l.imported_at, i.hashed, i.separator, i.deprecated_at, \
             i.link, (SELECT seq FROM revocation_head WHERE id = 1) AS as_of, ",
            grant_columns!(),
            " FROM legacy_token l JOIN grant_ g ON g.id = l.grant_id ",
            grant_joins!(),
            " WHERE l.lookup "
        )
    };
}

/// All that one string may be found by in one statement: a row that is upgraded meanwhile is found either way.
static FIND: Statement = Statement::each(
    "legacy_lookup.find",
    concat!(legacy_select!(), "IN (SELECT unhex(value) FROM json_each($1))"),
    concat!(legacy_select!(), "= ANY($1)"),
);

pub(super) const STATEMENTS: &[&Statement] = &[&RECIPES, &FIND];

/// How the tokens of one import are found.
#[derive(Clone, Debug)]
pub struct StoredRecipe {
    pub import: ImportId,
    pub scheme: String,
    pub hashed: Hashed,
    pub separator: char,
    pub sealed_key: Option<SealedKey>,
}

/// An imported token that the look-up has found.
#[derive(Clone, Debug)]
pub struct StoredLegacy {
    pub id: TokenId,
    pub lookup: Digest,
    /// Still to be proven, where there is one.
    pub hash: Option<String>,
    pub hashed: Hashed,
    pub separator: char,
    pub imported_at: Timestamp,
    pub deprecated_at: Timestamp,
    pub link: Option<String>,
    pub grant: Grant,
    pub as_of: Revision,
}

#[derive(FromRow)]
struct RecipeRow {
    id: Vec<u8>,
    scheme: String,
    hashed: String,
    separator: String,
    hmac_key: Option<Vec<u8>>,
    hmac_key_version: Option<i32>,
}

impl TryFrom<RecipeRow> for StoredRecipe {
    type Error = StoreError;

    fn try_from(row: RecipeRow) -> Result<Self, StoreError> {
        Ok(Self {
            import: ImportId::from_bytes(decode::id_bytes(&row.id)?),
            scheme: row.scheme,
            hashed: decode::word(&row.hashed, Hashed::from_name)?,
            separator: row.separator.chars().next().ok_or(StoreError::Corrupt("separator"))?,
            sealed_key: sealed_key(row.hmac_key, row.hmac_key_version),
        })
    }
}

#[derive(FromRow)]
struct Row {
    lookup: Vec<u8>,
    token_id: Vec<u8>,
    hash: Option<String>,
    imported_at: i64,
    hashed: String,
    separator: String,
    deprecated_at: i64,
    link: Option<String>,
    as_of: i64,
    #[sqlx(flatten)]
    grant: grant::Row,
}

impl TryFrom<Row> for StoredLegacy {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: TokenId::from_bytes(decode::id_bytes(&row.token_id)?),
            lookup: decode::digest(&row.lookup)?,
            hash: row.hash,
            hashed: decode::word(&row.hashed, Hashed::from_name)?,
            separator: row.separator.chars().next().ok_or(StoreError::Corrupt("separator"))?,
            imported_at: Timestamp::from_ms(row.imported_at),
            deprecated_at: Timestamp::from_ms(row.deprecated_at),
            link: row.link,
            grant: row.grant.try_into()?,
            as_of: Revision::new(row.as_of),
        })
    }
}

/// All recipes at once: imports are few.
pub(super) struct RecipeLookup;

impl Lookup for RecipeLookup {
    type Key = ();
    type Value = Vec<StoredRecipe>;

    const READERS: usize = 1;

    async fn read(db: &mut Db<'_>, _: &[()]) -> Result<Found<Self>, StoreError> {
        let sql = db.sql(&RECIPES);
        let rows: Vec<RecipeRow> = on_conn!(db, |conn| sqlx::query_as(sql).fetch_all(&mut **conn).await)?;
        let recipes = rows.into_iter().map(TryInto::try_into).collect();
        Ok(std::iter::once(((), recipes)).collect())
    }
}

/// Rows by what a presented string may be found by.
pub(super) struct LegacyLookup;

/// The digests of one string.
type Lookups = Arc<[[u8; 32]]>;

impl Lookup for LegacyLookup {
    type Key = Lookups;
    type Value = Vec<StoredLegacy>;

    /// Strings that nobody has imported can be made up at will: however many come, no more than this many connections
    /// are busy with them, and a hundred share a statement.
    const READERS: usize = 2;

    async fn read(db: &mut Db<'_>, keys: &[Lookups]) -> Result<Found<Self>, StoreError> {
        let sql = db.sql(&FIND);
        let rows: Vec<Row> = match &mut db.conn {
            DbConn::Sqlite(conn) => {
                let all: Vec<[u8; 32]> = keys.iter().flat_map(|lookups| lookups.iter().copied()).collect();
                sqlx::query_as(sql).bind(hex_list(&all)).fetch_all(&mut **conn).await?
            }
            DbConn::Postgres(conn) => {
                let all: Vec<&[u8]> =
                    keys.iter().flat_map(|lookups| lookups.iter()).map(|lookup| &lookup[..]).collect();
                sqlx::query_as(sql).bind(all).fetch_all(&mut **conn).await?
            }
        };
        let rows: Vec<StoredLegacy> = rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        let of = |lookups: &Lookups| {
            let own = rows.iter().filter(|row| lookups.iter().any(|lookup| lookup == row.lookup.as_bytes()));
            own.cloned().collect::<Vec<_>>()
        };
        Ok(keys.iter().map(|lookups| (Arc::clone(lookups), Ok(of(lookups)))).collect())
    }
}

impl Store {
    /// How the tokens of all imports are found; empty where nobody has imported any.
    pub(crate) async fn list_recipes(&self) -> Result<Vec<StoredRecipe>, StoreError> {
        Ok(self.recipes.find(()).await?.unwrap_or_default())
    }

    /// The rows that are found by any of `lookups`, the oldest first.
    pub(crate) async fn find_legacy(&self, lookups: &[Digest]) -> Result<Vec<StoredLegacy>, StoreError> {
        let lookups: Lookups = lookups.iter().map(|lookup| *lookup.as_bytes()).collect();
        let mut found = self.legacy.find(lookups).await?.unwrap_or_default();
        found.sort_by_key(|row| (row.imported_at, row.id));
        Ok(found)
    }
}

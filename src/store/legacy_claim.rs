//! Table `legacy_token`: which rows of a batch are new, written or, in a dry run, remembered in `legacy_dry_run`.

use std::collections::{HashMap, HashSet};

use super::StoreError;
use super::database::{Db, DbConn};
use super::decode;
use super::legacy_rows::{ImportBatch, ImportRow};
use super::statement::Statement;
use crate::domain::ids::ImportId;

static INSERT: Statement = Statement::each(
    "legacy_claim.insert",
    "INSERT INTO legacy_token (id, import_id, grant_id, import_key, material, lookup, key_version, hash, imported_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (import_key) DO NOTHING RETURNING import_key",
    "INSERT INTO legacy_token (id, import_id, grant_id, import_key, material, lookup, key_version, hash, imported_at) \
     SELECT a, $2, b, c, d, e, $7, f, $9 FROM UNNEST($1::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[], \
     $8::text[]) AS row (a, b, c, d, e, f) ON CONFLICT (import_key) DO NOTHING RETURNING import_key",
);
static HOLDERS: Statement = Statement::each(
    "legacy_claim.holders",
    "SELECT import_key, import_id, material FROM legacy_token \
     WHERE import_key IN (SELECT unhex(value) FROM json_each($1))",
    "SELECT import_key, import_id, material FROM legacy_token WHERE import_key = ANY($1)",
);
static SEE: Statement = Statement::each(
    "legacy_claim.see",
    "INSERT INTO legacy_dry_run (pass, import_key, material, at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (pass, import_key) DO NOTHING RETURNING import_key",
    "INSERT INTO legacy_dry_run (pass, import_key, material, at) SELECT $1, a, b, $4 \
     FROM UNNEST($2::bytea[], $3::bytea[]) AS row (a, b) ON CONFLICT (pass, import_key) DO NOTHING RETURNING import_key",
);
static SEEN: Statement = Statement::each(
    "legacy_claim.seen",
    "SELECT import_key, material FROM legacy_dry_run \
     WHERE pass = $1 AND import_key IN (SELECT unhex(value) FROM json_each($2))",
    "SELECT import_key, material FROM legacy_dry_run WHERE pass = $1 AND import_key = ANY($2)",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &HOLDERS, &SEE, &SEEN];

/// What a row of a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    New,
    /// It is there already.
    Known,
    /// Another import holds this token.
    TakenToken,
    /// Another token has this hint.
    TakenHint,
}

type Key = [u8; 32];
/// Who holds a key, and with which material.
type Held = HashMap<Key, (ImportId, [u8; 8])>;

/// Imports what is not there yet, and says of each row what it is.
pub(super) async fn claim(db: &mut Db<'_>, batch: &ImportBatch, rows: &[&ImportRow]) -> Result<Vec<Claim>, StoreError> {
    let inserted = insert(db, batch, &first_of_each_key(rows)).await?;
    let others: Vec<Key> = rows.iter().map(|row| row.key()).filter(|key| !inserted.contains(key)).collect();
    let held = holders(db, &others).await?;
    Ok(judge(batch.import, rows, inserted, &held))
}

/// Says the same without importing anything.
pub(super) async fn pretend(
    db: &mut Db<'_>,
    batch: &ImportBatch,
    pass: [u8; 16],
    rows: &[&ImportRow],
) -> Result<Vec<Claim>, StoreError> {
    let mut held = holders(db, &rows.iter().map(|row| row.key()).collect::<Vec<_>>()).await?;
    let mut firsts = first_of_each_key(rows);
    firsts.retain(|row| !held.contains_key(&row.key()));
    let inserted = see(db, batch, pass, &firsts).await?;
    let is_other = |key: &Key| !inserted.contains(key) && !held.contains_key(key);
    let others: Vec<Key> = rows.iter().map(|row| row.key()).filter(is_other).collect();
    held.extend(seen(db, batch.import, pass, &others).await?);
    Ok(judge(batch.import, rows, inserted, &held))
}

/// The first row of each key that was inserted is new; a later one is the same row again, or another with its key.
fn judge(import: ImportId, rows: &[&ImportRow], mut inserted: HashSet<Key>, held: &Held) -> Vec<Claim> {
    let mut here: HashMap<Key, [u8; 8]> = HashMap::new();
    let judge = |row: &&ImportRow| {
        let (key, own) = (row.key(), row.credential.material);
        if inserted.remove(&key) {
            here.insert(key, own);
            return Claim::New;
        }
        match here.get(&key).map(|material| (import, *material)).or_else(|| held.get(&key).copied()) {
            Some((_, material)) if material != own => Claim::TakenHint,
            Some((holder, _)) if holder == import => Claim::Known,
            // It was purged between two statements where nobody holds it: sent again, it will be new.
            Some(_) | None => Claim::TakenToken,
        }
    };
    rows.iter().map(judge).collect()
}

fn first_of_each_key<'r>(rows: &[&'r ImportRow]) -> Vec<&'r ImportRow> {
    let mut seen = HashSet::with_capacity(rows.len());
    rows.iter().copied().filter(|row| seen.insert(row.key())).collect()
}

async fn insert(db: &mut Db<'_>, batch: &ImportBatch, rows: &[&ImportRow]) -> Result<HashSet<Key>, StoreError> {
    let sql = db.sql(&INSERT);
    let import: &[u8] = batch.import.as_bytes();
    let (version, at) = (batch.key_version.as_i32(), batch.at.ms());
    let keys: Vec<Vec<u8>> = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            let mut keys = Vec::with_capacity(rows.len());
            for row in rows {
                let query = sqlx::query_scalar(sql)
                    .bind(&row.token.as_bytes()[..])
                    .bind(import)
                    .bind(&row.grant.as_bytes()[..])
                    .bind(&row.credential.import_key.as_bytes()[..])
                    .bind(&row.credential.material[..])
                    .bind(&row.credential.lookup.as_bytes()[..])
                    .bind(version)
                    .bind(&row.credential.hash)
                    .bind(at);
                keys.extend(query.fetch_optional(&mut **conn).await?);
            }
            keys
        }
        DbConn::Postgres(conn) => {
            sqlx::query_scalar(sql)
                .bind(rows.iter().map(|row| &row.token.as_bytes()[..]).collect::<Vec<_>>())
                .bind(import)
                .bind(rows.iter().map(|row| &row.grant.as_bytes()[..]).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| &row.credential.import_key.as_bytes()[..]).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| &row.credential.material[..]).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| &row.credential.lookup.as_bytes()[..]).collect::<Vec<_>>())
                .bind(version)
                .bind(rows.iter().map(|row| row.credential.hash.as_deref()).collect::<Vec<_>>())
                .bind(at)
                .fetch_all(&mut **conn)
                .await?
        }
    };
    keys.iter().map(|key| decode::bytes_32(key)).collect()
}

async fn see(
    db: &mut Db<'_>,
    batch: &ImportBatch,
    pass: [u8; 16],
    rows: &[&ImportRow],
) -> Result<HashSet<Key>, StoreError> {
    let sql = db.sql(&SEE);
    let keys: Vec<Vec<u8>> = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            let mut keys = Vec::with_capacity(rows.len());
            for row in rows {
                let query = sqlx::query_scalar(sql)
                    .bind(&pass[..])
                    .bind(&row.credential.import_key.as_bytes()[..])
                    .bind(&row.credential.material[..])
                    .bind(batch.at.ms());
                keys.extend(query.fetch_optional(&mut **conn).await?);
            }
            keys
        }
        DbConn::Postgres(conn) => {
            sqlx::query_scalar(sql)
                .bind(&pass[..])
                .bind(rows.iter().map(|row| &row.credential.import_key.as_bytes()[..]).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| &row.credential.material[..]).collect::<Vec<_>>())
                .bind(batch.at.ms())
                .fetch_all(&mut **conn)
                .await?
        }
    };
    keys.iter().map(|key| decode::bytes_32(key)).collect()
}

async fn holders(db: &mut Db<'_>, keys: &[Key]) -> Result<Held, StoreError> {
    if keys.is_empty() {
        return Ok(Held::new());
    }
    let sql = db.sql(&HOLDERS);
    let rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = match &mut db.conn {
        DbConn::Sqlite(conn) => sqlx::query_as(sql).bind(hex_list(keys)).fetch_all(&mut **conn).await?,
        DbConn::Postgres(conn) => {
            sqlx::query_as(sql).bind(keys.iter().map(|key| &key[..]).collect::<Vec<_>>()).fetch_all(&mut **conn).await?
        }
    };
    let held = rows.iter().map(|(key, import, own)| {
        Ok((decode::bytes_32(key)?, (ImportId::from_bytes(decode::id_bytes(import)?), material(own)?)))
    });
    held.collect()
}

/// What the dry run has seen of `keys`, as if its import held them.
async fn seen(db: &mut Db<'_>, import: ImportId, pass: [u8; 16], keys: &[Key]) -> Result<Held, StoreError> {
    if keys.is_empty() {
        return Ok(Held::new());
    }
    let sql = db.sql(&SEEN);
    let rows: Vec<(Vec<u8>, Vec<u8>)> = match &mut db.conn {
        DbConn::Sqlite(conn) => sqlx::query_as(sql).bind(&pass[..]).bind(hex_list(keys)).fetch_all(&mut **conn).await?,
        DbConn::Postgres(conn) => {
            let keys = keys.iter().map(|key| &key[..]).collect::<Vec<_>>();
            sqlx::query_as(sql).bind(&pass[..]).bind(keys).fetch_all(&mut **conn).await?
        }
    };
    rows.iter().map(|(key, own)| Ok((decode::bytes_32(key)?, (import, material(own)?)))).collect()
}

fn material(column: &[u8]) -> Result<[u8; 8], StoreError> {
    column.try_into().ok().ok_or(StoreError::Corrupt("material"))
}

/// A JSON array of hexadecimal texts: SQLite has no arrays.
pub(super) fn hex_list(keys: &[Key]) -> String {
    let hex: Vec<String> = keys.iter().map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    serde_json::to_string(&hex).expect("strings serialize")
}

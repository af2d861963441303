//! Table `key_version`: fingerprints of the master keys that this store was used with.

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::keys::KeyVersion;

static INSERT: Statement = Statement::both(
    "key_version.insert",
    "INSERT INTO key_version (version, first_used_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
);
static LIST: Statement = Statement::both("key_version.list", "SELECT version FROM key_version");

pub(super) static STATEMENTS: &[&Statement] = &[&INSERT, &LIST];

pub(super) async fn insert(db: &mut Db<'_>, version: KeyVersion, at: Timestamp) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    on_conn!(db, |conn| {
        sqlx::query(sql).bind(version.as_i32()).bind(at.ms()).execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

pub(super) async fn list(db: &mut Db<'_>) -> Result<Vec<KeyVersion>, StoreError> {
    let sql = db.sql(&LIST);
    let versions: Vec<i32> = on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_all(&mut **conn).await)?;
    Ok(versions.into_iter().map(KeyVersion::from_i32).collect())
}

impl Store {
    /// Every key version that rows of this store may have been made under.
    pub(crate) async fn list_key_versions(&self) -> Result<Vec<KeyVersion>, StoreError> {
        self.database.read(|mut db| Box::pin(async move { list(&mut db).await })).await
    }

    /// From now on rows are made under this version too.
    pub(crate) async fn insert_key_version(&self, version: KeyVersion, at: Timestamp) -> Result<(), StoreError> {
        self.database
            .transact("key_version.insert", move |mut db| Box::pin(async move { insert(&mut db, version, at).await }))
            .await
    }
}

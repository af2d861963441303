//! Removes what imports and dry runs leave behind, in bounded batches.

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ImportId;

static DELETE_DRY_RUN: Statement = Statement::each(
    "legacy_purge.dry_run",
    "DELETE FROM legacy_dry_run WHERE rowid IN (SELECT rowid FROM legacy_dry_run WHERE pass = $1 LIMIT $2)",
    "DELETE FROM legacy_dry_run WHERE ctid IN (SELECT ctid FROM legacy_dry_run WHERE pass = $1 LIMIT $2)",
);
static DELETE_OLD_DRY_RUNS: Statement = Statement::each(
    "legacy_purge.old_dry_runs",
    "DELETE FROM legacy_dry_run WHERE rowid IN (SELECT rowid FROM legacy_dry_run WHERE at < $1 LIMIT $2)",
    "DELETE FROM legacy_dry_run WHERE ctid IN (SELECT ctid FROM legacy_dry_run WHERE at < $1 LIMIT $2)",
);
static ENDED: Statement = Statement::both(
    "legacy_purge.ended",
    "SELECT id FROM legacy_import WHERE deadline < $1 AND (state <> 'purged' OR EXISTS \
     (SELECT 1 FROM grant_ g WHERE g.import_id = legacy_import.id)) LIMIT $2",
);
static DELETE_TOKENS: Statement = Statement::both(
    "legacy_purge.tokens",
    "DELETE FROM legacy_token WHERE id IN (SELECT id FROM legacy_token WHERE import_id = $1 ORDER BY id LIMIT $2)",
);
static DELETE_GRANTS: Statement = Statement::both(
    "legacy_purge.grants",
    "DELETE FROM grant_ WHERE id IN (SELECT id FROM grant_ WHERE import_id = $1 ORDER BY id LIMIT $2)",
);
static MARK: Statement = Statement::both(
    "legacy_purge.mark",
    "UPDATE legacy_import SET state = 'purged', hmac_key = NULL, version = version + 1 WHERE id = $1 AND deadline < $2",
);

pub(super) const STATEMENTS: &[&Statement] =
    &[&DELETE_DRY_RUN, &DELETE_OLD_DRY_RUNS, &ENDED, &DELETE_TOKENS, &DELETE_GRANTS, &MARK];

/// One transaction deletes no more than this: a longer one would keep issuing waiting on SQLite.
const BATCH: i64 = 1_000;

impl Store {
    /// Forgets what a dry run has seen.
    pub(crate) async fn forget_dry_run(&self, pass: [u8; 16]) -> Result<(), StoreError> {
        self.delete_batches(&DELETE_DRY_RUN, pass.to_vec()).await.map(drop)
    }

    /// Removes dry runs that nobody has finished, and the rows of imports whose deadline lies before `ended_before`.
    /// The imports themselves stay, as history.
    pub(crate) async fn purge_legacy(
        &self,
        begun_before: Timestamp,
        ended_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut gone = self.delete_batches(&DELETE_OLD_DRY_RUNS, begun_before.ms()).await?;
        let ended: Vec<Vec<u8>> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&ENDED);
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_scalar(sql).bind(ended_before.ms()).bind(BATCH).fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        for id in ended {
            let id = ImportId::from_bytes(super::decode::id_bytes(&id)?);
            // First the mark: an import whose deadline is moved meanwhile keeps its rows.
            if self.mark_purged(id, ended_before).await? {
                gone += self.delete_batches(&DELETE_TOKENS, id.as_bytes().to_vec()).await?;
                gone += self.delete_batches(&DELETE_GRANTS, id.as_bytes().to_vec()).await?;
            }
        }
        Ok(gone)
    }

    async fn mark_purged(&self, id: ImportId, ended_before: Timestamp) -> Result<bool, StoreError> {
        let marked = self.database.transact(MARK.name, move |mut db| {
            Box::pin(async move {
                let sql = db.sql(&MARK);
                let key: &[u8] = id.as_bytes();
                let done = on_conn!(db, |conn| {
                    let query = sqlx::query(sql).bind(key).bind(ended_before.ms());
                    query.execute(&mut **conn).await.map(|done| done.rows_affected())
                })?;
                Ok(done > 0)
            })
        });
        marked.await
    }

    async fn delete_batches(&self, statement: &'static Statement, which: impl Which) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let which = which.clone();
            let batch = self.database.transact(statement.name, move |mut db| {
                let which = which.clone();
                Box::pin(async move { which.delete(&mut db, statement).await })
            });
            let batch = batch.await?;
            gone += batch;
            if batch < BATCH.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}

/// The one argument of a statement that deletes a batch.
trait Which: Clone + Send + Sync + 'static {
    fn delete(
        self,
        db: &mut Db<'_>,
        statement: &'static Statement,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

impl Which for Vec<u8> {
    async fn delete(self, db: &mut Db<'_>, statement: &'static Statement) -> Result<u64, StoreError> {
        let sql = db.sql(statement);
        Ok(on_conn!(db, |conn| {
            let query = sqlx::query(sql).bind(&self).bind(BATCH);
            query.execute(&mut **conn).await.map(|done| done.rows_affected())
        })?)
    }
}

impl Which for i64 {
    async fn delete(self, db: &mut Db<'_>, statement: &'static Statement) -> Result<u64, StoreError> {
        let sql = db.sql(statement);
        Ok(on_conn!(db, |conn| {
            let query = sqlx::query(sql).bind(self).bind(BATCH);
            query.execute(&mut **conn).await.map(|done| done.rows_affected())
        })?)
    }
}

//! Named transactions with a bounded retry.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres, Sqlite, Transaction};

use super::StoreError;
use super::database::{Backend, Database, Db, DbConn, acquire};
use super::statement::StatementCounters;
use super::warnings::Warnings;

/// An open transaction. Dropped without [`Tx::commit`], it is rolled back.
pub(super) struct Tx {
    inner: Inner,
    counters: Arc<StatementCounters>,
    doorbell: bool,
    warnings: Option<Warnings>,
}

enum Inner {
    /// Not sqlx's own transaction: after a commit that fails (disk full), SQLite has rolled back by itself, and the
    /// driver's count of open transactions would stay wrong for as long as the connection lives.
    Sqlite(SqliteTx),
    Postgres(Transaction<'static, Postgres>),
}

/// The writer's connection. One that was not brought to a clean end is closed, and the pool opens another.
struct SqliteTx {
    conn: PoolConnection<Sqlite>,
    clean: bool,
}

impl SqliteTx {
    async fn begin(mut conn: PoolConnection<Sqlite>) -> Result<Self, sqlx::Error> {
        match sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await {
            Ok(_) => Ok(Self { conn, clean: false }),
            Err(error) => {
                conn.close_on_drop();
                Err(error)
            }
        }
    }

    async fn commit(mut self) -> Result<(), sqlx::Error> {
        sqlx::query("COMMIT").execute(&mut *self.conn).await?;
        self.clean = true;
        Ok(())
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        if !self.clean {
            self.conn.close_on_drop();
        }
    }
}

/// Serialization failures and deadlocks resolve themselves within a few attempts or not at all.
pub(super) const ATTEMPTS: u32 = 5;
/// A transaction that takes longer is abandoned; the caller gets a 503.
const TX_TIMEOUT: Duration = Duration::from_secs(8);

impl Tx {
    pub(super) fn db(&mut self) -> Db<'_> {
        let conn = match &mut self.inner {
            Inner::Sqlite(tx) => DbConn::Sqlite(&mut tx.conn),
            Inner::Postgres(tx) => DbConn::Postgres(tx),
        };
        Db { conn, counters: &self.counters, doorbell: self.doorbell }
    }

    /// Returns once the transaction is durable.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let warnings = self.warnings;
        committing(warnings.as_ref(), async {
            Ok(match self.inner {
                Inner::Sqlite(tx) => tx.commit().await,
                Inner::Postgres(tx) => tx.commit().await,
            }?)
        })
        .await
    }
}

/// A connection for one statement that is a transaction by itself: PostgreSQL reports it as done after its commit.
pub(super) struct Lone {
    conn: PoolConnection<Postgres>,
    counters: Arc<StatementCounters>,
    warnings: Option<Warnings>,
    doorbell: bool,
    settled: bool,
}

impl Lone {
    /// Runs `write`, which sends the statement and reads its answer to the end.
    pub(super) async fn settle<T>(
        mut self,
        write: impl AsyncFnOnce(Db<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let db = Db { conn: DbConn::Postgres(&mut self.conn), counters: &self.counters, doorbell: self.doorbell };
        let result = committing(self.warnings.as_ref(), write(db)).await;
        self.settled = !matches!(result, Err(StoreError::OutcomeUnknown(_)));
        result
    }
}

impl Drop for Lone {
    /// The statement may still be running: nobody else gets this connection.
    fn drop(&mut self) {
        if !self.settled {
            self.conn.close_on_drop();
        }
    }
}

/// The step that commits, under the time limit. An error that the database itself reports means that nothing was
/// committed; any other leaves it open. So does a warning where there are standbys: a wait for them that is cancelled
/// ends as a success with a warning.
async fn committing<T>(
    warnings: Option<&Warnings>,
    step: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let watched = async {
        match warnings {
            Some(warnings) => warnings.watch(step).await,
            None => (step.await, false),
        }
    };
    match tokio::time::timeout(TX_TIMEOUT, watched).await {
        Ok((Err(StoreError::Unavailable(source)), _)) => Err(StoreError::OutcomeUnknown(source)),
        Ok((Ok(_), true)) => Err(StoreError::OutcomeUnknown(None)),
        Ok((result, _)) => result,
        Err(_) => Err(StoreError::OutcomeUnknown(None)),
    }
}

impl Database {
    pub(super) async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = match &self.backend {
            Backend::Sqlite { writer, .. } => Inner::Sqlite(SqliteTx::begin(acquire(writer).await?).await?),
            Backend::Postgres(pool) => Inner::Postgres(Transaction::begin(acquire(pool).await?, None).await?),
        };
        Ok(Tx {
            inner,
            counters: Arc::clone(self.counters()),
            doorbell: self.doorbell,
            warnings: self.warnings.clone(),
        })
    }

    pub(super) async fn lone(&self, pool: &PgPool) -> Result<Lone, StoreError> {
        Ok(Lone {
            conn: acquire(pool).await?,
            counters: Arc::clone(self.counters()),
            warnings: self.warnings.clone(),
            doorbell: self.doorbell,
            settled: false,
        })
    }

    /// Runs `work` in one transaction and commits it. `work` may run several times: it must not have effects
    /// outside the transaction.
    pub(super) async fn transact<T, F>(&self, name: &'static str, work: F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(Db<'t>) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            match self.attempt(&work).await {
                Err(StoreError::Contended(error)) if attempt < ATTEMPTS => {
                    tracing::debug!(tx = name, attempt, %error, "transaction is repeated");
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// As [`Database::transact`], without a repeat.
    pub(super) async fn transact_once<T, F>(&self, name: &'static str, work: F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(Db<'t>) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync,
    {
        tracing::trace!(tx = name, "transaction");
        self.attempt(&work).await
    }

    async fn attempt<T, F>(&self, work: &F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(Db<'t>) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync,
    {
        let (tx, value) = within(async {
            let mut tx = self.begin().await?;
            let value = work(tx.db()).await?;
            Ok((tx, value))
        })
        .await?;
        tx.commit().await?;
        Ok(value)
    }
}

/// Everything before the commit, under the time limit: late means that nothing was written.
pub(super) async fn within<T>(step: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(TX_TIMEOUT, step).await.unwrap_or(Err(StoreError::Unavailable(None)))
}

#[cfg(test)]
mod tests {
    use sqlx::Executor as _;
    use tempfile::TempDir;

    use super::*;
    use crate::store::revoke::Applied;
    use crate::store::{DatabaseOptions, RevocationSink, Store};

    struct Nobody;

    impl RevocationSink for Nobody {
        fn committed(&self, _: &[Applied]) {}
        fn outcome_unknown(&self) {}
    }

    async fn sqlite() -> (Store, TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let options = DatabaseOptions {
            url: format!("sqlite:{}", directory.path().join("jeton.db").display()),
            connections: 1,
            acquire_timeout: Duration::from_secs(5),
            doorbell: true,
            alone: true,
            ha: false,
        };
        let store = Store::open(&options, Arc::new(Nobody)).await.unwrap();
        store.migrate().await.unwrap();
        (store, directory)
    }

    /// Runs statements in one transaction, as every write does.
    async fn write(store: &Store, sql: &'static str) -> Result<(), StoreError> {
        let write = store.database.transact("test", move |db| {
            Box::pin(async move {
                match db.conn {
                    DbConn::Sqlite(conn) => conn.execute(sqlx::raw_sql(sql)).await?,
                    DbConn::Postgres(_) => panic!("opened on SQLite"),
                };
                Ok(())
            })
        });
        write.await
    }

    const ROW: &str = "INSERT INTO workspace (id, name, api_client, created_at) VALUES (randomblob(16), hex(randomblob(8)), x'00', 0)";

    #[tokio::test]
    async fn a_full_disk_is_an_outage_and_the_writer_works_again_when_there_is_room() {
        let (store, _directory) = sqlite().await;
        let Backend::Sqlite { writer, .. } = &store.database.backend else { panic!("opened on SQLite") };
        // No page more than there are: to the writer, the disk is full.
        writer.execute("PRAGMA max_page_count = 1").await.unwrap();
        let full = write(
            &store,
            "INSERT INTO workspace (id, name, api_client, created_at) VALUES (x'01', hex(randomblob(1000000)), x'00', 0)",
        );
        assert!(matches!(full.await, Err(StoreError::Unavailable(Some(_)))));
        writer.execute("PRAGMA max_page_count = 1000000").await.unwrap();
        for _ in 0..3 {
            write(&store, ROW).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_commit_that_fails_leaves_a_writer_that_works() {
        let (store, _directory) = sqlite().await;
        // The foreign key is looked at by COMMIT, which refuses and leaves the transaction open.
        let orphan = write(
            &store,
            "PRAGMA defer_foreign_keys = ON; INSERT INTO user_account (id, workspace_id, username, role, created_at) \
             VALUES (x'01', x'ff', 'nobody', 'member', 0)",
        );
        assert!(matches!(orphan.await, Err(StoreError::Refused(_))));
        for _ in 0..3 {
            write(&store, ROW).await.unwrap();
        }
    }
}

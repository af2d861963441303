//! Named transactions with a bounded retry.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{Postgres, Sqlite, Transaction};

use super::StoreError;
use super::database::{Backend, Database, Db, DbConn};
use super::statement::StatementCounters;

/// An open transaction. Dropped without [`Tx::commit`], it is rolled back.
pub(super) struct Tx {
    inner: Inner,
    counters: Arc<StatementCounters>,
}

enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Serialization failures and deadlocks resolve themselves within a few attempts or not at all.
pub(super) const ATTEMPTS: u32 = 5;
/// A transaction that takes longer is abandoned; the caller gets a 503.
const TX_TIMEOUT: Duration = Duration::from_secs(8);

impl Tx {
    pub(super) fn db(&mut self) -> Db<'_> {
        let conn = match &mut self.inner {
            Inner::Sqlite(tx) => DbConn::Sqlite(tx),
            Inner::Postgres(tx) => DbConn::Postgres(tx),
        };
        Db { conn, counters: &self.counters }
    }

    /// An error that the database itself reports means that nothing was committed; any other leaves it open.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let commit = async {
            match self.inner {
                Inner::Sqlite(tx) => tx.commit().await,
                Inner::Postgres(tx) => tx.commit().await,
            }
        };
        match tokio::time::timeout(TX_TIMEOUT, commit).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(match StoreError::from(error) {
                StoreError::Unavailable(source) => StoreError::OutcomeUnknown(source),
                known => known,
            }),
            Err(_) => Err(StoreError::OutcomeUnknown(None)),
        }
    }
}

impl Database {
    pub(super) async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = match &self.backend {
            Backend::Sqlite { writer, .. } => Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Backend::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner, counters: Arc::clone(self.counters()) })
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

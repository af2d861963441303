//! The two databases as one enum of concrete connections, and the macro that runs one body on either.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::pool::{Pool, PoolConnection};
use sqlx::postgres::PgArguments;
use sqlx::{PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};

use super::statement::{Statement, StatementCounters};
use super::warnings::Warnings;
use super::{DatabaseOptions, RevocationSink, StoreError};

/// Longer than any read on the request path may take; then the caller gets a 503.
const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// The connections of one database. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Database {
    pub(super) backend: Backend,
    counters: Arc<StatementCounters>,
    pub(super) sink: Arc<dyn RevocationSink>,
    /// Whether a revocation rings the other nodes.
    pub(super) doorbell: bool,
    /// Whether nobody follows the log, this process included.
    pub(super) alone: bool,
    /// Looks for warnings on a commit, where one can mean that it was not replicated.
    pub(super) warnings: Option<Warnings>,
}

#[derive(Clone)]
pub(super) enum Backend {
    /// One writer, several readers.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// Held until the database is closed: one process per file.
        lock: Arc<File>,
    },
    Postgres(PgPool),
}

/// What statements run on: a read connection or an open transaction.
pub(crate) struct Db<'c> {
    pub(super) conn: DbConn<'c>,
    pub(super) counters: &'c StatementCounters,
    pub(super) doorbell: bool,
}

pub(super) enum DbConn<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Db<'_> {
    /// The text of `statement` for this database; counts it.
    pub(super) fn sql(&self, statement: &'static Statement) -> &'static str {
        self.counters.count(statement);
        match self.conn {
            DbConn::Sqlite(_) => statement.sqlite,
            DbConn::Postgres(_) => statement.postgres,
        }
    }
}

/// A statement for PostgreSQL that is given its parameters.
pub(super) type PgQuery<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// Runs one body on whichever connection it is. `$c` is bound to something that is an executor as `&mut **$c`.
macro_rules! on_conn {
    ($db:expr, |$c:ident| $body:expr) => {
        match &mut $db.conn {
            $crate::store::database::DbConn::Sqlite($c) => $body,
            $crate::store::database::DbConn::Postgres($c) => $body,
        }
    };
}

impl Database {
    pub(super) fn new(
        backend: Backend,
        sink: Arc<dyn RevocationSink>,
        options: &DatabaseOptions,
        warnings: Option<Warnings>,
    ) -> Self {
        let DatabaseOptions { doorbell, alone, .. } = *options;
        Self { backend, counters: Arc::default(), sink, doorbell, alone, warnings }
    }

    pub(super) const fn counters(&self) -> &Arc<StatementCounters> {
        &self.counters
    }

    pub(super) const fn name(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite { .. } => "sqlite",
            Backend::Postgres(_) => "postgres",
        }
    }

    pub(super) async fn close(&self) {
        match &self.backend {
            Backend::Sqlite { writer, readers, lock } => {
                readers.close().await;
                writer.close().await;
                let _released_with_the_process_at_the_latest = lock.unlock();
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }

    /// Runs one read. A connection that the database closed behind our back costs a silent retry, because a read
    /// can be repeated.
    pub(super) async fn read<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        F: for<'d> Fn(Db<'d>) -> BoxFuture<'d, Result<T, StoreError>> + Send + Sync,
    {
        let attempts = async {
            match self.read_once(&run).await {
                Err(StoreError::Unavailable(Some(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)))) => {
                    self.read_once(&run).await
                }
                result => result,
            }
        };
        tokio::time::timeout(READ_TIMEOUT, attempts).await.unwrap_or(Err(StoreError::Unavailable(None)))
    }

    async fn read_once<T, F>(&self, run: &F) -> Result<T, StoreError>
    where
        F: for<'d> Fn(Db<'d>) -> BoxFuture<'d, Result<T, StoreError>> + Send + Sync,
    {
        let mut conn = match &self.backend {
            Backend::Sqlite { readers, .. } => Reader::Sqlite(acquire(readers).await?),
            Backend::Postgres(pool) => Reader::Postgres(acquire(pool).await?),
        };
        let conn = match &mut conn {
            Reader::Sqlite(conn) => DbConn::Sqlite(conn),
            Reader::Postgres(conn) => DbConn::Postgres(conn),
        };
        run(Db { conn, counters: &self.counters, doorbell: self.doorbell }).await
    }
}

/// A connection of the pool. The pool's own future, which may have to connect, is tens of kilobytes large, and so would
/// be everything that awaits it, up to the handler of a request that reads nothing: it is made only when no connection
/// lies idle, and on the heap.
pub(super) async fn acquire<DB: sqlx::Database>(pool: &Pool<DB>) -> Result<PoolConnection<DB>, sqlx::Error> {
    match pool.try_acquire() {
        Some(idle) => Ok(idle),
        None => Box::pin(pool.acquire()).await,
    }
}

enum Reader {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

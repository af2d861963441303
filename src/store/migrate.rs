//! Brings the schema up to date: the same numbers and tables on both databases.

use sqlx::Executor as _;
use sqlx::migrate::Migrator;

use super::database::Backend;
use super::{Store, StoreError};

pub(super) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// A migration takes as long as it takes, and so does the wait for another node's. This connection serves nothing else.
const PATIENT: &str = "SET statement_timeout = 0; SET lock_timeout = 0";

impl Store {
    /// Applies what is missing. Several nodes may call it at once: one works, the others wait.
    ///
    /// # Errors
    /// [`StoreError::Migration`] when an applied migration is not the one in this binary.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.database.backend {
            Backend::Sqlite { writer, .. } => SQLITE.run(writer).await?,
            Backend::Postgres(pool) => {
                let mut conn = pool.acquire().await?;
                conn.execute(sqlx::raw_sql(PATIENT)).await?;
                let applied = POSTGRES.run(&mut *conn).await;
                conn.close().await?;
                applied?;
            }
        }
        Ok(())
    }
}

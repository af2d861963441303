//! Brings the schema up to date: the same numbers and tables on both databases.

use sqlx::migrate::Migrator;

use super::database::Backend;
use super::{Store, StoreError};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Store {
    /// Applies what is missing. Several nodes may call it at once: one works, the others wait.
    ///
    /// # Errors
    /// [`StoreError::Migration`] when an applied migration is not the one in this binary.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.database.backend {
            Backend::Sqlite { writer, .. } => SQLITE.run(writer).await?,
            Backend::Postgres(pool) => POSTGRES.run(pool).await?,
        }
        Ok(())
    }
}

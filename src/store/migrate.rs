//! Brings the schema up to date: the same numbers and tables on both databases. A schema that a newer version has brought
//! further is served from as well, unless its table `schema_floor` names a migration that this version does not know.

use std::sync::LazyLock;

use sqlx::Executor as _;
use sqlx::migrate::Migrator;

use super::database::{Backend, Db};
use super::statement::Statement;
use super::{Store, StoreError};

pub(super) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| beside_newer(sqlx::migrate!("migrations/sqlite")));
pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| beside_newer(sqlx::migrate!("migrations/postgres")));

/// A migration takes as long as it takes, and so does the wait for another node's. This connection serves nothing else.
const PATIENT: &str = "SET statement_timeout = 0; SET lock_timeout = 0";

static TABLE_EXISTS: Statement = Statement::each(
    "schema.table_exists",
    "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
    "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
);
static FLOOR: Statement = Statement::both("schema.floor", "SELECT migration FROM schema_floor ORDER BY migration");
static APPLIED: Statement = Statement::both("schema.applied", "SELECT version FROM _sqlx_migrations WHERE success");

pub(super) static STATEMENTS: &[&Statement] = &[&TABLE_EXISTS, &FLOOR, &APPLIED];

impl Store {
    /// Applies what is missing. Several nodes may call it at once: one works, the others wait.
    ///
    /// # Errors
    /// [`StoreError::Migration`] when an applied migration is not the one in this binary, [`StoreError::Unsuitable`] when a
    /// newer version has taken away what this one needs; then nothing is changed.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.require_floor().await?;
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
        // Another node's migration may have been waited for.
        self.require_floor().await
    }

    /// # Errors
    /// [`StoreError::Unsuitable`] when the schema is not one that this version can serve from.
    pub async fn require_schema(&self) -> Result<(), StoreError> {
        self.require_floor().await?;
        let applied = self.numbers("_sqlx_migrations", &APPLIED).await?;
        match self.known().iter().find(|migration| !applied.contains(&migration.version)) {
            None => Ok(()),
            Some(missing) => Err(StoreError::Unsuitable(format!(
                "the schema lacks migration {}; run `jeton migrate` first, or set database.migrate = true",
                missing.version
            ))),
        }
    }

    /// Why this version must not serve from the schema, if so.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn beyond_this_version(&self) -> Result<Option<String>, StoreError> {
        let required = self.numbers("schema_floor", &FLOOR).await?;
        let unknown = required.into_iter().find(|version| !self.known().version_exists(*version));
        Ok(unknown.map(|version| {
            format!(
                "a newer version has taken the schema to a state that this version ({}) can't serve from: it does not know \
                 migration {version}; run a version that does",
                env!("CARGO_PKG_VERSION")
            )
        }))
    }

    async fn require_floor(&self) -> Result<(), StoreError> {
        self.beyond_this_version().await?.map_or(Ok(()), |why| Err(StoreError::Unsuitable(why)))
    }

    fn known(&self) -> &'static Migrator {
        match &self.database.backend {
            Backend::Sqlite { .. } => &SQLITE,
            Backend::Postgres(_) => &POSTGRES,
        }
    }

    /// The numbers in a table; none if the schema has no such table yet.
    async fn numbers(&self, table: &'static str, statement: &'static Statement) -> Result<Vec<i64>, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { numbers(&mut db, table, statement).await })).await
    }
}

async fn numbers(db: &mut Db<'_>, table: &str, statement: &'static Statement) -> Result<Vec<i64>, StoreError> {
    let sql = db.sql(&TABLE_EXISTS);
    let tables: i64 = on_conn!(db, |conn| sqlx::query_scalar(sql).bind(table).fetch_one(&mut **conn).await)?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let sql = db.sql(statement);
    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_all(&mut **conn).await)?)
}

/// Migrations that this binary does not have are a newer version's.
fn beside_newer(mut migrator: Migrator) -> Migrator {
    migrator.set_ignore_missing(true);
    migrator
}

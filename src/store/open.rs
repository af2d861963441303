//! Opens the database that the configuration names.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use super::database::{Backend, Database};
use super::warnings::Warnings;
use super::{RevocationSink, Store, StoreError};

/// Which database to open, and how wide.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// `sqlite:<path>` or `postgres://…`
    pub url: String,
    /// Connections to PostgreSQL, or readers of SQLite.
    pub connections: u32,
    /// How long a request may wait for a connection before it is answered with a 503.
    pub acquire_timeout: Duration,
    /// Whether a revocation rings the other nodes (LISTEN and NOTIFY of PostgreSQL).
    pub doorbell: bool,
    /// Whether no other process writes to this PostgreSQL: then nobody follows its log.
    pub alone: bool,
    /// Whether PostgreSQL fails over to a standby: then commits must be replicated before they count.
    pub ha: bool,
}

/// Sent on each new connection to PostgreSQL. A generic plan is what makes a select by id in a partitioned table
/// cheap. It is made once, perhaps of empty tables, where reading them whole looks cheapest: so only plans by index are
/// left, which every statement has, and no compiling of plans whose cost is only that of a forbidden scan. An
/// acknowledged write must be on disk even where the server's default is weaker.
const SESSION: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
     SET enable_mergejoin = off; SET jit = off; SET statement_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '15s'; SET lock_timeout = '4s'; \
     SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// With standbys a commit counts once one of them has it on disk too.
const REPLICATED: &str = "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";

impl Store {
    /// # Errors
    /// [`StoreError::BadUrl`], [`StoreError::DataDirectory`] when another process uses the SQLite file, or
    /// [`StoreError::Unavailable`].
    pub async fn open(options: &DatabaseOptions, sink: Arc<dyn RevocationSink>) -> Result<Self, StoreError> {
        let backend = if let Some(path) = options.url.strip_prefix("sqlite:") {
            open_sqlite(Path::new(path.trim_start_matches("//")), options).await?
        } else if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            open_postgres(options).await?
        } else {
            return Err(StoreError::BadUrl("it must begin with sqlite: or postgres://".to_owned()));
        };
        let warnings = (options.ha && matches!(backend, Backend::Postgres(_))).then(Warnings::new);
        Ok(Self::new(Database::new(backend, sink, options, warnings)))
    }
}

async fn open_sqlite(path: &Path, options: &DatabaseOptions) -> Result<Backend, StoreError> {
    if path.as_os_str().is_empty() {
        return Err(StoreError::BadUrl("sqlite: needs a path".to_owned()));
    }
    let path = &make_private(path)?;
    let lock = lock(path)?;
    let writer = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(2))
        .statement_cache_capacity(100)
        .disable_statement_logging();
    let reader = writer.clone().read_only(true).create_if_missing(false);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(writer)
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.connections.max(1))
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(reader);
    Ok(Backend::Sqlite { writer: pool, readers, lock: Arc::new(lock) })
}

/// Writes a copy of the SQLite file of `url` to `path`, as of one moment and for its owner only. Another process may serve
/// from the file.
///
/// # Errors
/// [`StoreError::BadUrl`] for PostgreSQL, [`StoreError::DataDirectory`] when one of the files can't be opened or `path` is
/// there already, or the database's.
pub async fn back_up(url: &str, path: &Path) -> Result<(), StoreError> {
    let Some(source) = url.strip_prefix("sqlite:") else {
        return Err(StoreError::BadUrl("back up PostgreSQL with its own tools (pg_basebackup, pg_dump)".to_owned()));
    };
    let failed = |error| StoreError::DataDirectory(format!("{} can't be made", path.display()), error);
    let copy = path.to_str().ok_or_else(|| failed(ErrorKind::InvalidFilename.into()))?;
    // An empty file is what VACUUM INTO accepts beside none, and so it has the right mode from its beginning.
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map_err(failed)?;
    let source = SqliteConnectOptions::new().filename(source.trim_start_matches("//")).read_only(true);
    let copied = async {
        let mut conn = source.busy_timeout(Duration::from_secs(5)).connect().await?;
        sqlx::query("VACUUM INTO $1").bind(copy).execute(&mut conn).await?;
        conn.close().await
    };
    let copied = copied.await;
    if copied.is_err() {
        let _nothing_was_copied = fs::remove_file(path);
    } else {
        File::open(path).and_then(|file| file.sync_all()).map_err(failed)?;
    }
    Ok(copied?)
}

/// Makes the file for its owner only, if it is not there, and returns its one true path: two names of one file must
/// not get two locks.
fn make_private(path: &Path) -> Result<PathBuf, StoreError> {
    let failed = |error| StoreError::DataDirectory(format!("{} can't be opened", path.display()), error);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map_err(failed)?;
    fs::canonicalize(path).map_err(failed)
}

/// One process per file: two would each believe in their own cache.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let failed = |error| StoreError::DataDirectory(format!("{} can't be opened", name.display()), error);
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    file.try_lock().map_err(|error| {
        StoreError::DataDirectory(format!("{} is in use by another process", path.display()), error.into())
    })?;
    Ok(file)
}

async fn open_postgres(options: &DatabaseOptions) -> Result<Backend, StoreError> {
    let connect = PgConnectOptions::from_str(&options.url)
        .map_err(|error| StoreError::BadUrl(error.to_string()))?
        .application_name("jeton")
        .statement_cache_capacity(100)
        .disable_statement_logging();
    let ha = options.ha;
    if ha {
        // By itself, because a pool would try again and again, and say only that it took too long.
        let mut first = PgConnection::connect_with(&connect).await?;
        begin_session(&mut first, ha).await?;
        first.close().await?;
    }
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.max(4))
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(Duration::from_secs(600))
        .max_lifetime(Duration::from_secs(3600))
        .test_before_acquire(false)
        .after_connect(move |conn, _| Box::pin(begin_session(conn, ha)))
        .connect_with(connect)
        .await?;
    Ok(Backend::Postgres(pool))
}

/// Sets up a connection to PostgreSQL.
pub(super) async fn begin_session(conn: &mut PgConnection, ha: bool) -> Result<(), sqlx::Error> {
    conn.execute(sqlx::raw_sql(SESSION)).await?;
    if ha {
        conn.execute(sqlx::raw_sql(REPLICATED)).await?;
        let (standby, names): (bool, String) =
            sqlx::query_as("SELECT pg_is_in_recovery(), current_setting('synchronous_standby_names')")
                .fetch_one(conn)
                .await?;
        if standby {
            return Err(refused("database.ha: this server is a standby; the URL must lead to the primary"));
        }
        if names.trim().is_empty() {
            return Err(refused(
                "database.ha: synchronous_standby_names is empty, so that a failover would lose acknowledged revocations",
            ));
        }
    }
    Ok(())
}

fn refused(why: &'static str) -> sqlx::Error {
    sqlx::Error::Configuration(why.into())
}

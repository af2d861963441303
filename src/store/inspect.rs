//! Looks at a database as `jeton doctor` does: on connections of its own, and without changing anything.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, FromRow, PgConnection, Row as _, SqliteConnection};

use super::database::{Db, DbConn};
use super::node::Node;
use super::open::{DatabaseOptions, begin_session};
use super::statement::{Statement, StatementCounters};
use super::{StoreError, key_version, migrate, node, revision, workspace};
use crate::domain::clock::Clock;
use crate::domain::grant::Revision;
use crate::domain::keys::KeyVersion;

static SERVER: Statement = Statement::each(
    "inspect.server",
    "",
    "SELECT current_setting('server_version_num')::int4 AS version, current_setting('fsync') = 'on' AS fsync, \
     current_setting('full_page_writes') = 'on' AS full_page_writes, \
     current_setting('synchronous_commit') AS synchronous_commit, current_setting('server_encoding') AS encoding, \
     coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create, \
     current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8 AS places, \
     (SELECT rolconnlimit::int8 FROM pg_roles WHERE rolname = current_user) AS role_limit, \
     (SELECT datconnlimit::int8 FROM pg_database WHERE datname = current_database()) AS database_limit, \
     (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS taken, \
     (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) AS standbys",
);
/// What the database's own clock says is what is asked here.
static CLOCK: Statement =
    Statement::each("inspect.clock", "", "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8");
static HAS_SCHEMA: Statement = Statement::each(
    "inspect.has_schema",
    "SELECT count(*) > 0 FROM sqlite_master WHERE name = '_sqlx_migrations'",
    "SELECT to_regclass('_sqlx_migrations') IS NOT NULL",
);
static MIGRATIONS: Statement =
    Statement::both("inspect.migrations", "SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version");
static QUICK_CHECK: Statement = Statement::each("inspect.quick_check", "PRAGMA quick_check(1)", "");

pub(super) const STATEMENTS: &[&Statement] = &[&SERVER, &CLOCK, &HAS_SCHEMA, &MIGRATIONS, &QUICK_CHECK];

/// No answer for so long is a failure.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a notification may take.
const RING_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the pages of a SQLite file are looked at.
const QUICK_CHECK_TIMEOUT: Duration = Duration::from_secs(60);
const CHANNEL: &str = "jeton_doctor";

/// What a database looks like.
#[derive(Debug)]
pub enum Inspected {
    Sqlite(SqliteFile),
    Postgres(Box<PostgresServer>),
    /// PostgreSQL behind a pooler that gives each transaction another session. It was asked for nothing else: what is set
    /// or listened to there, others would get.
    WithoutSessions,
}

#[derive(Debug)]
pub struct SqliteFile {
    /// Whether it has a write-ahead log.
    pub is_wal: bool,
    /// What is damaged. `None`: the check took too long.
    pub damage: Option<Vec<String>>,
    pub contents: Contents,
}

#[derive(Debug)]
pub struct PostgresServer {
    pub settings: ServerSettings,
    /// What [`DatabaseOptions::ha`] needs and does not find, or a session that can't be set up.
    pub unsuitable: Option<String>,
    /// How far its clock is ahead of this machine's, in ms.
    pub ahead_ms: i64,
    /// By so much this may be wrong.
    pub uncertain_ms: i64,
    /// Whether a notification has arrived. `None`: not asked for.
    pub rings: Option<bool>,
    pub contents: Contents,
}

#[derive(Clone, Debug, FromRow)]
pub struct ServerSettings {
    /// As `server_version_num`: 150004.
    pub version: i32,
    pub fsync: bool,
    pub full_page_writes: bool,
    pub synchronous_commit: String,
    pub encoding: String,
    /// Whether tables and partitions may be made.
    pub may_create: bool,
    /// Connections for everybody but superusers.
    pub places: i64,
    /// -1: none.
    pub role_limit: Option<i64>,
    pub database_limit: Option<i64>,
    /// Connections that are open, with the one that asks.
    pub taken: i64,
    /// Synchronous standbys that this role can see.
    pub standbys: i64,
}

/// What is in the tables.
#[derive(Debug)]
pub struct Contents {
    pub schema: Schema,
    /// Where the schema is there.
    pub tables: Option<Tables>,
}

#[derive(Debug)]
pub struct Tables {
    pub head: Revision,
    pub keys: Vec<KeyVersion>,
    pub nodes: Vec<Node>,
    pub is_empty: bool,
}

/// The schema, compared with the one that this binary knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    Missing,
    /// So many migrations are to come.
    Behind(usize),
    Current,
    /// So many migrations are of a later version.
    Ahead(usize),
    /// This one is not what the binary has under its number, or was not finished.
    Differs(i64),
}

/// Looks at the database of `options`.
///
/// # Errors
/// [`StoreError::BadUrl`], or the database's, when it can't be reached or asked.
pub async fn inspect(options: &DatabaseOptions, clock: &Clock) -> Result<Inspected, StoreError> {
    match sqlite_path(&options.url) {
        Some(path) => inspect_sqlite(Path::new(path)).await.map(Inspected::Sqlite),
        None => inspect_postgres(options, clock).await,
    }
}

/// The nodes that have rows in the database of `options` now.
///
/// # Errors
/// The database's.
pub async fn nodes(options: &DatabaseOptions) -> Result<Vec<Node>, StoreError> {
    let mut conn = in_time(PgConnection::connect_with(&postgres_options(options)?)).await?;
    look_only(&mut conn).await?;
    let counters = StatementCounters::default();
    let mut db = Db { conn: DbConn::Postgres(&mut conn), counters: &counters, doorbell: false };
    let nodes = in_time(node::list(&mut db)).await?;
    conn.close().await?;
    Ok(nodes)
}

/// The file of a URL that names one.
#[must_use]
pub fn sqlite_path(url: &str) -> Option<&str> {
    url.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"))
}

async fn in_time<T, E: Into<StoreError>>(asked: impl Future<Output = Result<T, E>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER_TIMEOUT, asked).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_elapsed) => Err(StoreError::Unavailable(None)),
    }
}

async fn inspect_sqlite(path: &Path) -> Result<SqliteFile, StoreError> {
    // Read as it lies there where nothing waits in its log: else SQLite would leave files beside it.
    let log = path.with_file_name(format!("{}-wal", path.file_name().unwrap_or_default().to_string_lossy()));
    let at_rest = log.metadata().map_or(true, |log| log.len() == 0);
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(at_rest);
    let mut conn = options.busy_timeout(ANSWER_TIMEOUT).disable_statement_logging().connect().await?;
    let check = sqlx::query_scalar(QUICK_CHECK.sqlite).fetch_all(&mut conn);
    let damage = match tokio::time::timeout(QUICK_CHECK_TIMEOUT, check).await {
        Ok(lines) => Some(lines?.into_iter().filter(|line: &String| line != "ok").collect()),
        Err(_elapsed) => None,
    };
    let contents = sqlite_contents(&mut conn).await?;
    conn.close().await?;
    Ok(SqliteFile { is_wal: is_wal(path)?, damage, contents })
}

/// By the versions in its header, since a file that is read as it lies there says nothing of its journal.
fn is_wal(path: &Path) -> Result<bool, StoreError> {
    let mut header = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.map_err(|error| StoreError::DataDirectory(format!("{} can't be read", path.display()), error))?;
    Ok(header[18..] == [2, 2])
}

async fn sqlite_contents(conn: &mut SqliteConnection) -> Result<Contents, StoreError> {
    let counters = StatementCounters::default();
    contents(Db { conn: DbConn::Sqlite(conn), counters: &counters, doorbell: false }, &migrate::SQLITE).await
}

fn postgres_options(options: &DatabaseOptions) -> Result<PgConnectOptions, StoreError> {
    if !options.url.starts_with("postgres://") && !options.url.starts_with("postgresql://") {
        return Err(StoreError::BadUrl("it must begin with sqlite: or postgres://".to_owned()));
    }
    let connect = PgConnectOptions::from_str(&options.url).map_err(|error| StoreError::BadUrl(error.to_string()))?;
    Ok(connect.application_name("jeton doctor").disable_statement_logging())
}

/// Has the server refuse whatever would change something.
async fn look_only(conn: &mut PgConnection) -> Result<(), StoreError> {
    in_time(conn.execute(sqlx::raw_sql("SET default_transaction_read_only = on; SET statement_timeout = '5s'")))
        .await?;
    Ok(())
}

async fn inspect_postgres(options: &DatabaseOptions, clock: &Clock) -> Result<Inspected, StoreError> {
    let connecting = postgres_options(options)?;
    let mut conn = in_time(PgConnection::connect_with(&connecting)).await?;
    if !in_time(keeps_sessions(&mut conn, &connecting)).await? {
        return Ok(Inspected::WithoutSessions);
    }
    look_only(&mut conn).await?;
    let settings: ServerSettings = in_time(sqlx::query_as(SERVER.postgres).fetch_one(&mut conn)).await?;
    let (ahead_ms, uncertain_ms) = in_time(ahead(&mut conn, clock)).await?;
    let rings = if options.doorbell { Some(rings(&mut conn, &connecting).await?) } else { None };
    let counters = StatementCounters::default();
    let db = Db { conn: DbConn::Postgres(&mut conn), counters: &counters, doorbell: false };
    let contents = in_time(contents(db, &migrate::POSTGRES)).await?;
    let unsuitable = match in_time(begin_session(&mut conn, options.ha)).await {
        Ok(()) => None,
        Err(StoreError::Unsuitable(why)) => Some(why),
        Err(StoreError::Refused(error)) => Some(error.to_string()),
        Err(error) => return Err(error),
    };
    conn.close().await?;
    let server = PostgresServer { settings, unsuitable, ahead_ms, uncertain_ms, rings, contents };
    Ok(Inspected::Postgres(Box::new(server)))
}

/// A pooler that hands out connections by transaction gives the one that was used last to whoever begins the next
/// transaction, and `conn` another one afterwards.
async fn keeps_sessions(conn: &mut PgConnection, options: &PgConnectOptions) -> Result<bool, StoreError> {
    let mut other = PgConnection::connect_with(options).await?;
    let before = process(conn).await?;
    other.execute(sqlx::raw_sql("BEGIN")).await?;
    process(&mut other).await?;
    let after = process(conn).await?;
    other.execute(sqlx::raw_sql("ROLLBACK")).await?;
    other.close().await?;
    Ok(before == after)
}

/// Which process of the server answers. Not prepared, because the next one would not know of it.
async fn process(conn: &mut PgConnection) -> Result<i32, sqlx::Error> {
    conn.fetch_one(sqlx::raw_sql("SELECT pg_backend_pid()")).await?.try_get(0)
}

async fn ahead(conn: &mut PgConnection, clock: &Clock) -> Result<(i64, i64), sqlx::Error> {
    // The first time the statement is prepared, which takes a round trip more.
    let mut best = (0, i64::MAX);
    for _ in 0..3 {
        let before = clock.now();
        let there: i64 = sqlx::query_scalar(CLOCK.postgres).fetch_one(&mut *conn).await?;
        let after = clock.now();
        let half = (after.ms() - before.ms()) / 2;
        if half < best.1 {
            best = (there - before.ms() - half, half + 1);
        }
    }
    Ok(best)
}

async fn rings(conn: &mut PgConnection, options: &PgConnectOptions) -> Result<bool, StoreError> {
    let own =
        PgPoolOptions::new().max_connections(1).acquire_timeout(ANSWER_TIMEOUT).connect_lazy_with(options.clone());
    let mut listener = in_time(PgListener::connect_with(&own)).await?;
    listener.ignore_pool_close_event(true);
    in_time(listener.listen(CHANNEL)).await?;
    in_time(conn.execute(sqlx::raw_sql("NOTIFY jeton_doctor"))).await?;
    let rung = tokio::time::timeout(RING_TIMEOUT, listener.try_recv()).await;
    drop(listener);
    own.close().await;
    Ok(matches!(rung, Ok(Ok(Some(_)))))
}

async fn contents(mut db: Db<'_>, known: &Migrator) -> Result<Contents, StoreError> {
    let sql = db.sql(&HAS_SCHEMA);
    let has_schema: bool = on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_one(&mut **conn).await)?;
    if !has_schema {
        return Ok(Contents { schema: Schema::Missing, tables: None });
    }
    let sql = db.sql(&MIGRATIONS);
    let applied: Vec<(i64, Vec<u8>, bool)> = on_conn!(db, |conn| sqlx::query_as(sql).fetch_all(&mut **conn).await)?;
    let schema = compare(&applied, known);
    if schema == Schema::Missing {
        return Ok(Contents { schema, tables: None });
    }
    let tables = match tables(&mut db).await {
        Ok(tables) => Some(tables),
        // An older or newer schema may have other tables.
        Err(StoreError::Refused(_)) if schema != Schema::Current => None,
        Err(error) => return Err(error),
    };
    Ok(Contents { schema, tables })
}

async fn tables(db: &mut Db<'_>) -> Result<Tables, StoreError> {
    Ok(Tables {
        head: revision::head(db).await?,
        keys: key_version::list(db).await?,
        nodes: node::list(db).await?,
        is_empty: workspace::count(db).await? == 0,
    })
}

fn compare(applied: &[(i64, Vec<u8>, bool)], known: &Migrator) -> Schema {
    if applied.is_empty() {
        return Schema::Missing;
    }
    let find = |version| known.iter().find(|migration| migration.version == version);
    for (version, checksum, success) in applied {
        if !success || find(*version).is_some_and(|migration| *migration.checksum != **checksum) {
            return Schema::Differs(*version);
        }
    }
    let unknown = applied.iter().filter(|(version, ..)| find(*version).is_none()).count();
    let to_come = known.iter().filter(|migration| applied.iter().all(|(version, ..)| *version != migration.version));
    match (unknown, to_come.count()) {
        (0, 0) => Schema::Current,
        (0, to_come) => Schema::Behind(to_come),
        (unknown, _) => Schema::Ahead(unknown),
    }
}

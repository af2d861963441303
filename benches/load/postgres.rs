//! The Postgres cluster that `cargo xtask bench` has started, and databases in it.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::cpu::{self, Meter};

#[derive(Debug)]
pub(crate) struct Cluster {
    url: Url,
    runtime: Runtime,
    meter: Option<Meter>,
    description: String,
    databases: AtomicU32,
}

/// An empty database, gone with this value.
#[derive(Debug)]
pub(crate) struct Database<'c> {
    cluster: &'c Cluster,
    name: String,
    url: Url,
}

impl Cluster {
    /// `None` if there is none to use.
    pub(crate) fn from_environment() -> anyhow::Result<Option<Self>> {
        let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
            return Ok(None);
        };
        let url = Url::parse(&url)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (version, synchronous, fsync, backend): (String, String, String, i32) = runtime.block_on(async {
            let mut connection = PgConnection::connect(url.as_str()).await?;
            let settings = "SELECT current_setting('server_version'), current_setting('synchronous_commit'), \
                 current_setting('fsync'), pg_backend_pid()";
            sqlx::query_as(settings).fetch_one(&mut connection).await
        })?;
        let description = format!("PostgreSQL {version}, synchronous_commit {synchronous}, fsync {fsync}");
        Ok(Some(Self { meter: postmaster_of(backend), url, runtime, description, databases: AtomicU32::new(0) }))
    }

    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    pub(crate) fn create_database(&self) -> anyhow::Result<Database<'_>> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("jeton_load_{}_{number}", std::process::id());
        self.execute(&self.url, format!("CREATE DATABASE {name}"))?;
        let mut url = self.url.clone();
        url.set_path(&name);
        Ok(Database { cluster: self, name, url })
    }

    fn execute(&self, url: &Url, sql: String) -> sqlx::Result<()> {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(url.as_str()).await?;
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            connection.close().await
        })
    }
}

impl Database<'_> {
    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// All processes of the cluster.
    pub(crate) fn meter(&self) -> Option<Meter> {
        self.cluster.meter
    }

    /// The only value of the only row.
    pub(crate) fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        Ok(self.cluster.runtime.block_on(async {
            let mut connection = PgConnection::connect(self.url.as_str()).await?;
            let number = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok::<_, sqlx::Error>(number)
        })?)
    }

    pub(crate) fn execute(&self, sql: &str) -> anyhow::Result<()> {
        Ok(self.cluster.execute(&self.url, sql.to_owned())?)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        if let Err(error) = self.cluster.execute(&self.cluster.url, drop) {
            eprintln!("the database {} is left behind: {error}", self.name);
        }
    }
}

/// The parent of the process that serves a connection; `None` if that runs on another machine.
fn postmaster_of(backend: i32) -> Option<Meter> {
    let backend = u32::try_from(backend).ok()?;
    cpu::name_of(backend).filter(|name| name.starts_with("postgres"))?;
    cpu::parent_of(backend).map(Meter::Family)
}

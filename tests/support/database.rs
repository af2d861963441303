//! A database for one test: a file in a temporary directory, or a fresh one in the test cluster.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tempfile::TempDir;

#[derive(Debug)]
pub enum TestDatabase {
    Sqlite(TempDir),
    Postgres {
        url: String,
        name: String,
        admin_url: String,
    },
    /// A cluster of the test's own: nothing to make or to remove.
    Own(String),
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl TestDatabase {
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a temporary directory"))
    }

    /// A new, empty database in the cluster that `cargo xtask test` has started.
    pub async fn postgres() -> Self {
        let admin_url = std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL is set by cargo xtask test");
        let name = format!("jeton_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&admin_url).await.expect("the test cluster answers");
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database is made");
        let mut url = url::Url::parse(&admin_url).expect("a URL");
        url.set_path(&name);
        Self::Postgres { url: url.to_string(), name, admin_url }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(directory) => format!("sqlite:{}", directory.path().join("jeton.db").display()),
            Self::Postgres { url, .. } | Self::Own(url) => url.clone(),
        }
    }

    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres { .. } | Self::Own(_))
    }

    /// Everything that is stored, as bytes: the file and its log, or the text of every row.
    pub async fn dump(&self) -> Vec<u8> {
        match self {
            Self::Sqlite(directory) => {
                let files = std::fs::read_dir(directory.path()).expect("the directory is there");
                let files = files.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
                files.flat_map(|path| std::fs::read(path).expect("a readable file")).collect()
            }
            Self::Postgres { url, .. } | Self::Own(url) => {
                let mut db = PgConnection::connect(url).await.expect("the database answers");
                let tables = "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace";
                let mut dump = Vec::new();
                for table in db.fetch_all(tables).await.expect("a list of tables") {
                    let table: String = table.get(0);
                    let rows =
                        db.fetch_all(AssertSqlSafe(format!("SELECT t::text FROM {table} t"))).await.expect("rows");
                    for row in rows {
                        dump.extend_from_slice(row.get::<String, _>(0).as_bytes());
                        dump.push(b'\n');
                    }
                }
                dump
            }
        }
    }

    pub async fn remove(self) {
        if let Self::Postgres { name, admin_url, .. } = self {
            let mut admin = PgConnection::connect(&admin_url).await.expect("the test cluster answers");
            let drop = AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            admin.execute(drop).await.expect("the database is removed");
        }
    }
}

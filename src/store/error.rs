//! What can go wrong with the database. A lookup that finds nothing is not among it.

use std::time::Duration;

/// The database could not do it. Never a reason to refuse a token: the answer is a 503.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, shutting down, or too slow.
    #[error("the database is not available")]
    Unavailable(#[source] Option<sqlx::Error>),
    /// Two transactions got in each other's way more often than we retry.
    #[error("the database refused the transaction because of others")]
    Contended(#[source] sqlx::Error),
    /// The connection was lost during a commit: it may or may not have happened.
    #[error("the outcome of a commit is not known")]
    OutcomeUnknown(#[source] Option<sqlx::Error>),
    /// With a failover configured, a server that was reached may be one that is no longer the primary: only a lease that
    /// was renewed there tells.
    #[error("this node has not renewed its lease in time")]
    LeaseOver,
    /// The caller knows of a revision that this database does not have.
    #[error("the database is behind the revision that was asked for")]
    Behind,
    /// More writes are waiting than the queue holds.
    #[error("too many writes are waiting")]
    Overloaded,
    /// A row with this unique value is there already.
    #[error("a row with this value exists")]
    Duplicate(#[source] sqlx::Error),
    /// A row that this version of the service can't have written.
    #[error("the database holds a {0} that can't be read")]
    Corrupt(&'static str),
    /// A statement that the database does not accept.
    #[error("the database refused a statement")]
    Refused(#[source] sqlx::Error),
    /// A database that can't keep what is promised with this configuration.
    #[error("{0}")]
    Unsuitable(String),
    /// The schema could not be brought up to date.
    #[error("the migrations could not be applied")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The data directory can't be used.
    #[error("{0}")]
    DataDirectory(String, #[source] std::io::Error),
    /// The database URL names no database that is supported.
    #[error("database.url: {0}")]
    BadUrl(String),
}

impl StoreError {
    /// How long a caller should wait before it tries again.
    #[must_use]
    pub const fn retry_after(&self) -> Duration {
        match self {
            Self::Contended(_) | Self::Overloaded => Duration::from_secs(1),
            _ => Duration::from_secs(2),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::RowNotFound => Self::Corrupt("table without its row"),
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt("value"),
                sqlx::Error::Configuration(why) => Self::Unsuitable(why.to_string()),
                other => Self::Unavailable(Some(other)),
            };
        };
        if database.is_unique_violation() {
            return Self::Duplicate(error);
        }
        let code = database.code().unwrap_or_default();
        match code.as_ref() {
            // PostgreSQL: serialization failure, deadlock, lock timeout. SQLite: BUSY, BUSY_SNAPSHOT, LOCKED.
            "40001" | "40P01" | "55P03" | "5" | "517" | "261" | "6" => Self::Contended(error),
            // Statement timeout, shutdown, crash recovery, too many connections, disk full, read-only, I/O error, SQLite FULL, CANTOPEN.
            "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "53300" | "53100" | "25006" | "58030" | "13" | "14" => {
                Self::Unavailable(Some(error))
            }
            code if code.starts_with("08") => Self::Unavailable(Some(error)),
            _ => Self::Refused(error),
        }
    }
}

//! Keeps the tables small: partitions ahead of time, expired tokens out.
//!
//! On PostgreSQL a token lies in the partition of the month in which it ends, and whole months leave by DROP TABLE.
//! On SQLite, and for grants on both, expired rows are deleted in bounded batches from the left edge of the index.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use time::{Month, OffsetDateTime};

use super::database::{Db, DbConn};
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{AuditId, GrantId, RefusalId, TokenId};

static DELETE_TOKENS: Statement = Statement::each(
    "maintenance.delete_tokens",
    "DELETE FROM token WHERE id IN (SELECT id FROM token WHERE id < $1 ORDER BY id LIMIT $2)",
    "",
);
static DELETE_GRANTS: Statement = Statement::both(
    "maintenance.delete_grants",
    "DELETE FROM grant_ WHERE id IN (SELECT id FROM grant_ WHERE id < $1 ORDER BY id LIMIT $2)",
);
static DELETE_FAMILIES: Statement = Statement::both(
    "maintenance.delete_families",
    "DELETE FROM refresh_family WHERE grant_id IN \
     (SELECT grant_id FROM refresh_family WHERE grant_id < $1 ORDER BY grant_id LIMIT $2)",
);
static DELETE_KEY_SESSIONS: Statement =
    Statement::both("maintenance.delete_key_sessions", "DELETE FROM key_session WHERE expires_at < $1");
static DELETE_IDEMPOTENCY: Statement =
    Statement::both("maintenance.delete_idempotency", "DELETE FROM idempotency WHERE created_at < $1");
static DELETE_CONSOLE_SESSIONS: Statement =
    Statement::both("maintenance.delete_console_sessions", "DELETE FROM console_session WHERE expires_at < $1");
static DELETE_AUDIT: Statement = Statement::both(
    "maintenance.delete_audit",
    "DELETE FROM audit_event WHERE id IN (SELECT id FROM audit_event WHERE id < $1 ORDER BY id LIMIT $2)",
);
/// Before the rows that they show.
static DELETE_EVENTS: Statement = Statement::both(
    "maintenance.delete_events",
    "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id < $1 ORDER BY id LIMIT $2)",
);
static DELETE_REFUSALS: Statement = Statement::both(
    "maintenance.delete_refusals",
    "DELETE FROM refusal WHERE id IN (SELECT id FROM refusal WHERE id < $1 ORDER BY id LIMIT $2)",
);
static PARTITIONS: Statement = Statement::each(
    "maintenance.partitions",
    "",
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
     WHERE i.inhparent = 'token'::regclass ORDER BY c.relname",
);
/// Making or dropping a partition keeps everybody else waiting while it waits itself, so it gives up soon and is tried
/// again next time.
static IMPATIENT: Statement = Statement::each("maintenance.impatient", "", "SET LOCAL lock_timeout = '200ms'");
/// Of all nodes that start or wake at once, one makes the partitions.
static LOCK: Statement = Statement::each("maintenance.lock", "", "SELECT pg_advisory_xact_lock(7041776)");

pub(super) const STATEMENTS: &[&Statement] = &[
    &DELETE_TOKENS,
    &DELETE_GRANTS,
    &DELETE_FAMILIES,
    &DELETE_KEY_SESSIONS,
    &DELETE_IDEMPOTENCY,
    &DELETE_CONSOLE_SESSIONS,
    &DELETE_EVENTS,
    &DELETE_AUDIT,
    &DELETE_REFUSALS,
    &PARTITIONS,
    &LOCK,
    &IMPATIENT,
];

/// One transaction deletes no more than this: a longer one would keep issuing waiting on SQLite.
const BATCH: i64 = 1_000;

/// For how long the repeat of a create is recognized.
pub(crate) const REPEATS_KEPT: Duration = Duration::from_secs(86_400);

/// How long things are kept after their end.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub tokens: Duration,
    pub grants: Duration,
    pub audit: Duration,
    pub refusals: Duration,
}

/// One month of expiry dates: a partition of `token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PartitionMonth {
    year: i32,
    month: u8,
}

impl PartitionMonth {
    fn of(moment: Timestamp) -> Self {
        let date = OffsetDateTime::from_unix_timestamp(moment.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH).date();
        Self { year: date.year(), month: date.month().into() }
    }

    const fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { year: self.year, month: month + 1 },
        }
    }

    fn start(self) -> Timestamp {
        let month = Month::try_from(self.month).unwrap_or(Month::January);
        let date = time::Date::from_calendar_date(self.year, month, 1).unwrap_or(time::Date::MIN);
        Timestamp::from_ms(date.midnight().assume_utc().unix_timestamp() * 1000)
    }

    fn table(self) -> String {
        format!("token_{:04}{:02}", self.year, self.month)
    }

    fn parse(table: &str) -> Option<Self> {
        let digits = table.strip_prefix("token_").filter(|digits| digits.len() == 6)?;
        let (year, month) = digits.split_at(4);
        Some(Self { year: year.parse().ok()?, month: month.parse().ok()? })
    }

    fn create(self) -> String {
        let bound = |month: Self| {
            let hex: String =
                TokenId::floor(month.start()).as_bytes()[..6].iter().map(|b| format!("{b:02x}")).collect();
            format!("'\\x{hex}'")
        };
        format!(
            "CREATE TABLE IF NOT EXISTS {} PARTITION OF token FOR VALUES FROM ({}) TO ({})",
            self.table(),
            bound(self),
            bound(self.next())
        )
    }
}

impl Store {
    /// Makes sure that tokens that end up to `horizon` from now have a partition. Nothing to do on SQLite.
    pub async fn ensure_partitions(&self, now: Timestamp, horizon: Duration) -> Result<(), StoreError> {
        self.database
            .transact_once("maintenance.partitions", move |mut db| {
                Box::pin(async move { ensure_partitions(&mut db, now, horizon).await })
            })
            .await
    }

    /// Removes what ended longer ago than it is kept. Returns how many rows and partitions went.
    pub async fn purge(&self, now: Timestamp, retention: Retention) -> Result<u64, StoreError> {
        let (tokens, grants) = (now.minus(retention.tokens), now.minus(retention.grants));
        let mut gone = self.drop_partitions(tokens).await?;
        if self.backend_name() == "sqlite" {
            gone += self.delete_all(&DELETE_TOKENS, *TokenId::floor(tokens).as_bytes()).await?;
        }
        gone += self.delete_all(&DELETE_FAMILIES, *GrantId::floor(grants).as_bytes()).await?;
        gone += self.delete_all(&DELETE_GRANTS, *GrantId::floor(grants).as_bytes()).await?;
        self.delete_older(&DELETE_KEY_SESSIONS, tokens).await?;
        self.delete_older(&DELETE_IDEMPOTENCY, now.minus(REPEATS_KEPT)).await?;
        self.delete_older(&DELETE_CONSOLE_SESSIONS, now).await?;
        let audit = *AuditId::floor(now.minus(retention.audit)).as_bytes();
        gone += self.delete_all(&DELETE_EVENTS, audit).await?;
        gone += self.delete_all(&DELETE_AUDIT, audit).await?;
        let refusals = now.minus(retention.refusals);
        gone += self.delete_all(&DELETE_REFUSALS, *RefusalId::floor(refusals).as_bytes()).await?;
        self.purge_log(now).await?;
        Ok(gone)
    }

    async fn delete_all(&self, statement: &'static Statement, below: [u8; 16]) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let batch = self
                .database
                .transact(statement.name, move |mut db| {
                    Box::pin(async move {
                        let sql = db.sql(statement);
                        Ok(on_conn!(db, |conn| {
                            let query = sqlx::query(sql).bind(&below[..]).bind(BATCH);
                            query.execute(&mut **conn).await.map(|done| done.rows_affected())
                        })?)
                    })
                })
                .await?;
            gone += batch;
            if batch < BATCH.unsigned_abs() {
                return Ok(gone);
            }
        }
    }

    async fn delete_older(&self, statement: &'static Statement, before: Timestamp) -> Result<(), StoreError> {
        self.database
            .transact(statement.name, move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(statement);
                    Ok(on_conn!(db, |conn| sqlx::query(sql).bind(before.ms()).execute(&mut **conn).await.map(drop))?)
                })
            })
            .await
    }

    async fn drop_partitions(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.database
            .transact_once("maintenance.drop_partitions", move |mut db| {
                Box::pin(async move {
                    let mut gone = 0;
                    for month in partitions(&mut db).await? {
                        if let (true, DbConn::Postgres(conn)) = (month.next().start() <= before, &mut db.conn) {
                            let sql = format!("DROP TABLE IF EXISTS {}", month.table());
                            sqlx::query(AssertSqlSafe(sql)).execute(&mut **conn).await?;
                            gone += 1;
                        }
                    }
                    Ok(gone)
                })
            })
            .await
    }
}

async fn ensure_partitions(db: &mut Db<'_>, now: Timestamp, horizon: Duration) -> Result<(), StoreError> {
    let there = partitions(db).await?;
    // One month more than the longest lifetime, so that a late run leaves no gap.
    let last = PartitionMonth::of(now.plus(horizon)).next();
    let mut month = PartitionMonth::of(now);
    while month <= last {
        if let (false, DbConn::Postgres(conn)) = (there.contains(&month), &mut db.conn) {
            sqlx::query(AssertSqlSafe(month.create())).execute(&mut **conn).await?;
        }
        month = month.next();
    }
    Ok(())
}

/// The months that have a partition; none on SQLite. Holds the maintenance lock until the transaction ends.
async fn partitions(db: &mut Db<'_>) -> Result<Vec<PartitionMonth>, StoreError> {
    if matches!(db.conn, DbConn::Sqlite(_)) {
        return Ok(Vec::new());
    }
    let (impatient, lock, list) = (db.sql(&IMPATIENT), db.sql(&LOCK), db.sql(&PARTITIONS));
    let DbConn::Postgres(conn) = &mut db.conn else {
        return Ok(Vec::new());
    };
    sqlx::query(lock).execute(&mut **conn).await?;
    sqlx::query(impatient).execute(&mut **conn).await?;
    let names: Vec<String> = sqlx::query_scalar(list).fetch_all(&mut **conn).await?;
    Ok(names.iter().filter_map(|name| PartitionMonth::parse(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_falls_into_the_partition_of_the_month_it_ends_in() {
        let december = PartitionMonth { year: 2026, month: 12 };
        assert_eq!(PartitionMonth::of(Timestamp::from_ms(1_798_761_599_999)), december);
        assert_eq!(december.next().start(), Timestamp::from_ms(1_798_761_600_000));
        assert_eq!(PartitionMonth::of(december.next().start()), PartitionMonth { year: 2027, month: 1 });
        assert_eq!(PartitionMonth::parse(&december.table()), Some(december));
        assert_eq!(PartitionMonth::parse("token_never"), None);
    }

    #[test]
    fn the_bounds_of_neighbouring_partitions_touch() {
        let month = PartitionMonth { year: 2026, month: 11 };
        let upper = month.create().split(" TO ").nth(1).unwrap().to_owned();
        assert!(month.next().create().contains(&format!("FROM {upper}")));
    }
}

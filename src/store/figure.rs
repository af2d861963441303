//! Table `figure`: sums by workspace and hour, for the page that tells how much goes on.

use std::sync::Arc;

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::WorkspaceId;
use crate::domain::refusal::Rule;

static ADD: Statement = Statement::both(
    "figure.add",
    "INSERT INTO figure (workspace_id, hour, what, count) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (workspace_id, hour, what) DO UPDATE SET count = figure.count + excluded.count",
);
static LIST: Statement = Statement::both(
    "figure.list_days",
    "SELECT hour / 24 AS day, what, CAST(SUM(count) AS BIGINT) AS count FROM figure \
     WHERE workspace_id = $1 AND hour >= $2 GROUP BY hour / 24, what",
);
static FORGET: Statement = Statement::both("figure.forget", "DELETE FROM figure WHERE hour < $1");

pub(super) const STATEMENTS: &[&Statement] = &[&ADD, &LIST, &FORGET];

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Issued,
    Validated,
    Refused(Rule),
}

/// So many of something in an hour of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    pub workspace: WorkspaceId,
    /// Since 1970.
    pub hour: i64,
    pub what: What,
    pub count: u64,
}

/// So many of something in a day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayFigure {
    /// Since 1970.
    pub day: i64,
    pub what: What,
    pub count: u64,
}

/// Whose the requests are that proved no token.
pub const NOBODY: WorkspaceId = WorkspaceId::from_bytes([0; 16]);
const HOUR_MS: i64 = 3_600_000;

impl What {
    fn text(self) -> String {
        match self {
            Self::Issued => "issued".to_owned(),
            Self::Validated => "validated".to_owned(),
            Self::Refused(rule) => format!("refused.{}", rule.code()),
        }
    }

    /// `None` for what a newer version counts.
    fn from_text(text: &str) -> Option<Self> {
        match text {
            "issued" => Some(Self::Issued),
            "validated" => Some(Self::Validated),
            _ => text.strip_prefix("refused.").and_then(Rule::from_code).map(Self::Refused),
        }
    }
}

/// The hour that a moment lies in.
#[must_use]
pub const fn hour_of(at: Timestamp) -> i64 {
    at.ms().div_euclid(HOUR_MS)
}

#[derive(FromRow)]
struct Row {
    day: i64,
    what: String,
    count: i64,
}

async fn add(db: &mut Db<'_>, figures: &[Figure]) -> Result<(), StoreError> {
    let sql = db.sql(&ADD);
    for figure in figures {
        let workspace: &[u8] = figure.workspace.as_bytes();
        let count = i64::try_from(figure.count).unwrap_or(i64::MAX);
        on_conn!(db, |conn| {
            let query = sqlx::query(sql).bind(workspace).bind(figure.hour).bind(figure.what.text()).bind(count);
            query.execute(&mut **conn).await.map(drop)
        })?;
    }
    Ok(())
}

impl Store {
    /// Adds to what is there.
    pub(crate) async fn add_figures(&self, mut figures: Vec<Figure>) -> Result<(), StoreError> {
        // In one order, so that nodes that write at once do not wait for each other in a circle.
        figures.sort_unstable_by_key(|figure| (figure.workspace, figure.hour, figure.what.text()));
        let figures: Arc<[Figure]> = figures.into();
        self.database
            .transact("figure.add", move |mut db| {
                let figures = Arc::clone(&figures);
                Box::pin(async move { add(&mut db, &figures).await })
            })
            .await
    }

    /// The sums of each day from `since` on.
    pub(crate) async fn list_figures(
        &self,
        workspace: WorkspaceId,
        since: Timestamp,
    ) -> Result<Vec<DayFigure>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let workspace: &[u8] = workspace.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_as(sql).bind(workspace).bind(hour_of(since)).fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        let known = rows.into_iter().filter_map(|row| {
            What::from_text(&row.what).map(|what| DayFigure { day: row.day, what, count: row.count.unsigned_abs() })
        });
        Ok(known.collect())
    }

    pub(crate) async fn forget_figures(&self, before: Timestamp) -> Result<(), StoreError> {
        self.database
            .transact(FORGET.name, move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FORGET);
                    Ok(on_conn!(db, |conn| {
                        sqlx::query(sql).bind(hour_of(before)).execute(&mut **conn).await.map(drop)
                    })?)
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_reads_back() {
        let rules = Rule::ALL.iter().map(|rule| What::Refused(*rule));
        for what in rules.chain([What::Issued, What::Validated]) {
            assert_eq!(What::from_text(&what.text()), Some(what));
        }
        assert_eq!(What::from_text("refused.by_a_newer_version"), None);
    }
}

//! What is still in use of an import, and what revoking it would reach.

use super::database::Db;
use super::grant::{self, grant_columns, grant_joins};
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::grant::Grant;
use crate::domain::ids::{GrantId, ImportId};

static IN_USE: Statement = Statement::both(
    "legacy_report.in_use",
    concat!(
        "SELECT ",
        grant_columns!(),
        " FROM grant_ g ",
        grant_joins!(),
        " WHERE g.import_id = $1 AND g.last_used_at >= $2 AND g.id > $3 ORDER BY g.id LIMIT $4"
    ),
);
static LAST_USED: Statement = Statement::both(
    "legacy_report.last_used",
    concat!(
        "SELECT ",
        grant_columns!(),
        " FROM grant_ g ",
        grant_joins!(),
        " WHERE g.import_id = $1 AND g.last_used_at >= $2 ORDER BY g.last_used_at DESC, g.id DESC LIMIT $3"
    ),
);
static LIVE: Statement = Statement::both(
    "legacy_report.live",
    "SELECT COUNT(*), COALESCE(SUM(CASE WHEN g.last_used_at >= $2 THEN 1 ELSE 0 END), 0), \
     COUNT(DISTINCT COALESCE(g.user_id, g.client_key)) FROM grant_ g JOIN legacy_import i ON i.id = g.import_id \
     WHERE g.import_id = $1 AND g.state = 'active' AND g.deleted_at IS NULL AND i.deadline > $3 \
     AND (g.expires_at IS NULL OR g.expires_at > $3) AND g.revision >= COALESCE((SELECT MAX(k.revision) FROM cutoff k \
     WHERE k.subject IN (g.workspace_id, g.user_id, g.client_key, g.import_id) AND k.policy IN ('', g.policy)), 0)",
);

pub(super) const STATEMENTS: &[&Statement] = &[&IN_USE, &LAST_USED, &LIVE];

/// The live tokens of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveTokens {
    pub count: i64,
    pub used_recently: i64,
    pub owners: i64,
}

impl Store {
    /// A page of the import's grants that were used at `since` or later, in the order of their ids.
    pub(crate) async fn list_grants_in_use(
        &self,
        import: ImportId,
        since: Timestamp,
        after: GrantId,
        limit: u32,
    ) -> Result<Vec<Grant>, StoreError> {
        let rows: Vec<grant::Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&IN_USE);
                    let (import, after): (&[u8], &[u8]) = (import.as_bytes(), after.as_bytes());
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql)
                        .bind(import)
                        .bind(since.ms())
                        .bind(after)
                        .bind(i64::from(limit))
                        .fetch_all(&mut **conn)
                        .await)?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The import's grants that were used at `since` or later, the one used last first.
    pub(crate) async fn list_last_used(
        &self,
        import: ImportId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Grant>, StoreError> {
        let rows: Vec<grant::Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&LAST_USED);
                    let import: &[u8] = import.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query_as(sql).bind(import).bind(since.ms()).bind(i64::from(limit));
                        query.fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Counts the tokens that are alive at `now`, and those of them that were used at `since` or later.
    pub(crate) async fn count_live_imported(
        &self,
        import: ImportId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<LiveTokens, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { count(&mut db, import, since, now).await })).await
    }
}

async fn count(db: &mut Db<'_>, import: ImportId, since: Timestamp, now: Timestamp) -> Result<LiveTokens, StoreError> {
    let sql = db.sql(&LIVE);
    let key: &[u8] = import.as_bytes();
    let (count, used_recently, owners): (i64, i64, i64) = on_conn!(db, |conn| {
        sqlx::query_as(sql).bind(key).bind(since.ms()).bind(now.ms()).fetch_one(&mut **conn).await
    })?;
    Ok(LiveTokens { count, used_recently, owners })
}

//! When grants were last used, written in batches, never on the validation path.

use std::sync::Arc;

use super::database::{Db, DbConn};
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::GrantId;

static TOUCH: Statement = Statement::each(
    "usage.touch",
    "UPDATE grant_ SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
    "UPDATE grant_ g SET last_used_at = x.at FROM UNNEST($1::bytea[], $2::bigint[]) AS x (id, at) \
     WHERE g.id = x.id AND (g.last_used_at IS NULL OR g.last_used_at < x.at)",
);
static SUCCESSOR_USED: Statement = Statement::both(
    "usage.successor_used",
    "UPDATE refresh_family SET successor_used = TRUE WHERE grant_id = $1 AND generation = $2 AND NOT successor_used",
);

pub(super) const STATEMENTS: &[&Statement] = &[&TOUCH, &SUCCESSOR_USED];

/// A use of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    pub grant: GrantId,
    pub at: Timestamp,
    /// The refresh generation of the token that was used, where there is a family.
    pub generation: i64,
}

async fn record(db: &mut Db<'_>, uses: &[Use]) -> Result<(), StoreError> {
    let sql = db.sql(&TOUCH);
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for used in uses {
                sqlx::query(sql).bind(&used.grant.as_bytes()[..]).bind(used.at.ms()).execute(&mut **conn).await?;
            }
        }
        DbConn::Postgres(conn) => {
            sqlx::query(sql)
                .bind(uses.iter().map(|used| &used.grant.as_bytes()[..]).collect::<Vec<_>>())
                .bind(uses.iter().map(|used| used.at.ms()).collect::<Vec<_>>())
                .execute(&mut **conn)
                .await?;
        }
    }
    for used in uses.iter().filter(|used| used.generation > 0) {
        let sql = db.sql(&SUCCESSOR_USED);
        let key: &[u8] = used.grant.as_bytes();
        on_conn!(db, |conn| { sqlx::query(sql).bind(key).bind(used.generation).execute(&mut **conn).await.map(drop) })?;
    }
    Ok(())
}

impl Store {
    /// Writes a batch of uses; older than what is stored changes nothing.
    pub(crate) async fn record_uses(&self, mut uses: Vec<Use>) -> Result<(), StoreError> {
        uses.sort_unstable_by_key(|used| used.grant);
        let uses: Arc<[Use]> = uses.into();
        self.database
            .transact("usage.record", move |mut db| {
                let uses = Arc::clone(&uses);
                Box::pin(async move { record(&mut db, &uses).await })
            })
            .await
    }
}

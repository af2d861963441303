//! The upgrade of an imported row at its first good use: from then on it is found by a digest of the string itself, and
//! what came from the older system is gone.

use std::collections::HashMap;
use std::sync::Arc;

use super::audit::{self, AuditEvent};
use super::database::{Db, DbConn};
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ImportId, TokenId};
use crate::domain::keys::KeyVersion;
use crate::domain::secret::Digest;

static UPGRADE: Statement = Statement::each(
    "legacy_upgrade.upgrade",
    "UPDATE legacy_token SET lookup = $2, key_version = $3, hash = NULL, upgraded_at = $4 \
     WHERE id = $1 AND upgraded_at IS NULL RETURNING id",
    "UPDATE legacy_token l SET lookup = x.lookup, key_version = x.version, hash = NULL, upgraded_at = x.at \
     FROM UNNEST($1::bytea[], $2::bytea[], $3::integer[], $4::bigint[]) AS x (id, lookup, version, at) \
     WHERE l.id = x.id AND l.upgraded_at IS NULL RETURNING l.id",
);
static COUNT: Statement =
    Statement::both("legacy_upgrade.count", "UPDATE legacy_import SET upgraded = upgraded + $2 WHERE id = $1");

pub(super) const STATEMENTS: &[&Statement] = &[&UPGRADE, &COUNT];

/// A row to upgrade.
#[derive(Clone, Debug)]
pub struct Upgrade {
    pub token: TokenId,
    pub import: ImportId,
    pub lookup: Digest,
    pub key_version: KeyVersion,
    pub at: Timestamp,
    pub audit: AuditEvent,
}

async fn upgrade(db: &mut Db<'_>, upgrades: &[Upgrade]) -> Result<(), StoreError> {
    let sql = db.sql(&UPGRADE);
    let ids: Vec<Vec<u8>> = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            let mut ids = Vec::with_capacity(upgrades.len());
            for upgrade in upgrades {
                let query = sqlx::query_scalar(sql)
                    .bind(&upgrade.token.as_bytes()[..])
                    .bind(&upgrade.lookup.as_bytes()[..])
                    .bind(upgrade.key_version.as_i32())
                    .bind(upgrade.at.ms());
                ids.extend(query.fetch_optional(&mut **conn).await?);
            }
            ids
        }
        DbConn::Postgres(conn) => {
            sqlx::query_scalar(sql)
                .bind(upgrades.iter().map(|upgrade| &upgrade.token.as_bytes()[..]).collect::<Vec<_>>())
                .bind(upgrades.iter().map(|upgrade| &upgrade.lookup.as_bytes()[..]).collect::<Vec<_>>())
                .bind(upgrades.iter().map(|upgrade| upgrade.key_version.as_i32()).collect::<Vec<_>>())
                .bind(upgrades.iter().map(|upgrade| upgrade.at.ms()).collect::<Vec<_>>())
                .fetch_all(&mut **conn)
                .await?
        }
    };
    let ids = ids.iter().map(|id| decode::id_bytes(id).map(TokenId::from_bytes)).collect::<Result<Vec<_>, _>>()?;
    let done: Vec<&Upgrade> = upgrades.iter().filter(|upgrade| ids.contains(&upgrade.token)).collect();
    audit::insert(db, &done.iter().map(|upgrade| &upgrade.audit).collect::<Vec<_>>()).await?;
    let mut counts: HashMap<ImportId, i64> = HashMap::new();
    for upgrade in done {
        *counts.entry(upgrade.import).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable();
    for (import, count) in counts {
        let sql = db.sql(&COUNT);
        let key: &[u8] = import.as_bytes();
        on_conn!(db, |conn| sqlx::query(sql).bind(key).bind(count).execute(&mut **conn).await.map(drop))?;
    }
    Ok(())
}

impl Store {
    /// Upgrades rows; one that was upgraded before stays as it is and leaves no trace in the audit.
    pub(crate) async fn upgrade_legacy(&self, mut upgrades: Vec<Upgrade>) -> Result<(), StoreError> {
        // Two processes that upgrade the same rows lock them in the same order.
        upgrades.sort_unstable_by_key(|upgrade| upgrade.token);
        let upgrades: Arc<[Upgrade]> = upgrades.into();
        self.database
            .transact("legacy.upgrade", move |mut db| {
                let upgrades = Arc::clone(&upgrades);
                Box::pin(async move { upgrade(&mut db, &upgrades).await })
            })
            .await
    }
}

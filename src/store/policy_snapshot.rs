//! Table `policy_snapshot`: the rules of policies as grants were issued under them.

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::policy::{Policy, PolicyVersion};

static INSERT: Statement = Statement::both(
    "policy_snapshot.insert",
    "INSERT INTO policy_snapshot (version, name, rules, first_used_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
);
static FIND: Statement =
    Statement::both("policy_snapshot.find", "SELECT name, rules FROM policy_snapshot WHERE version = $1");

static LIST: Statement = Statement::both(
    "policy_snapshot.list",
    "SELECT version, rules, first_used_at FROM policy_snapshot WHERE name = $1 ORDER BY first_used_at DESC, version LIMIT 200",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND, &LIST];

async fn insert(db: &mut Db<'_>, policy: &Policy, now: Timestamp) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let rules = serde_json::to_string(&policy.rules).expect("rules are plain data");
    on_conn!(db, |conn| {
        let query = sqlx::query(sql).bind(policy.version.value()).bind(&*policy.name).bind(&rules).bind(now.ms());
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

impl Store {
    /// Keeps the rules of `policies`, where they are new.
    pub(crate) async fn keep_policies(&self, policies: Vec<Policy>, now: Timestamp) -> Result<(), StoreError> {
        let policies: std::sync::Arc<[Policy]> = policies.into();
        self.database
            .transact("policy_snapshot.keep", move |mut db| {
                let policies = std::sync::Arc::clone(&policies);
                Box::pin(async move {
                    for policy in policies.iter() {
                        insert(&mut db, policy, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The rules that the policy of this name has had and when each was first in force, newest first.
    pub(crate) async fn list_policy_snapshots(&self, name: String) -> Result<Vec<(Policy, Timestamp)>, StoreError> {
        let policy: std::sync::Arc<str> = name.into();
        let name = std::sync::Arc::clone(&policy);
        let rows: Vec<(i64, String, i64)> = self
            .database
            .read(move |mut db| {
                let name = std::sync::Arc::clone(&name);
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql).bind(&*name).fetch_all(&mut **conn).await)?)
                })
            })
            .await?;
        let read = |(version, rules, first_used_at): (i64, String, i64)| {
            let rules = serde_json::from_str(&rules).ok().ok_or(StoreError::Corrupt("policy rules"))?;
            let policy = Policy { name: std::sync::Arc::clone(&policy), rules, version: PolicyVersion::new(version) };
            Ok((policy, Timestamp::from_ms(first_used_at)))
        };
        rows.into_iter().map(read).collect()
    }

    /// The policy with the rules of this version.
    pub(crate) async fn find_policy(&self, version: PolicyVersion) -> Result<Option<Policy>, StoreError> {
        let row: Option<(String, String)> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND);
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql)
                        .bind(version.value())
                        .fetch_optional(&mut **conn)
                        .await)?)
                })
            })
            .await?;
        let policy = row.map(|(name, rules)| {
            let rules = serde_json::from_str(&rules).ok().ok_or(StoreError::Corrupt("policy rules"))?;
            Ok(Policy { name: name.into(), rules, version })
        });
        policy.transpose()
    }
}

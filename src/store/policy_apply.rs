//! Puts living grants of a policy under other rules of it, a bounded number in one transaction.

use std::sync::Arc;

use super::audit::{self, AuditEvent};
use super::database::{Db, DbConn};
use super::revision::{self, Entry, LogKind};
use super::revoke::{Applied, Target};
use super::statement::Statement;
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, WorkspaceId};
use crate::domain::policy::PolicyVersion;

/// Living grants of policy `$1` behind id `$2` that are under other rules than `$3`. Ids sort by the end, so that
/// those that have ended are not looked at. Grants without a version are under the rules in force anyway.
macro_rules! elsewhere {
    () => {
        " FROM grant_ WHERE id > $2 AND policy = $1 AND policy_version <> $3 AND state <> 'revoked' AND deleted_at IS NULL"
    };
}

static COUNT: Statement = Statement::both("policy_apply.count", concat!("SELECT COUNT(*)", elsewhere!()));
static SELECT: Statement = Statement::each(
    "policy_apply.select",
    concat!("SELECT id, workspace_id", elsewhere!(), " ORDER BY id LIMIT $4"),
    concat!("SELECT id, workspace_id", elsewhere!(), " ORDER BY id LIMIT $4 FOR UPDATE"),
);
static PIN: Statement = Statement::each(
    "policy_apply.pin",
    "UPDATE grant_ SET policy_version = $2, version = version + 1 WHERE id = $1",
    "UPDATE grant_ SET policy_version = $2, version = version + 1 WHERE id = ANY($1)",
);

pub(super) const STATEMENTS: &[&Statement] = &[&COUNT, &SELECT, &PIN];

/// One transaction changes no more than this: a longer one would keep issuing waiting on SQLite.
const BATCH: i64 = 500;

/// Which grants go under which rules.
#[derive(Clone, Debug)]
pub struct ApplyRules {
    pub policy: Arc<str>,
    pub version: PolicyVersion,
    /// Behind this one; [`GrantId::floor`] of now for all that live.
    pub after: GrantId,
    pub at: Timestamp,
}

/// A part of the grants that was changed.
#[derive(Clone, Copy, Debug)]
pub struct AppliedPart {
    pub grants: u64,
    /// Where the next part starts; `None` when this was the last.
    pub next: Option<GrantId>,
}

async fn select(db: &mut Db<'_>, rules: &ApplyRules) -> Result<Vec<(GrantId, WorkspaceId)>, StoreError> {
    let sql = db.sql(&SELECT);
    let after: &[u8] = rules.after.as_bytes();
    let rows: Vec<(Vec<u8>, Vec<u8>)> = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(&*rules.policy).bind(after).bind(rules.version.value());
        query.bind(BATCH).fetch_all(&mut **conn).await
    })?;
    let ids = rows.iter().map(|(id, workspace)| {
        let workspace = WorkspaceId::from_bytes(decode::id_bytes(workspace)?);
        Ok((GrantId::from_bytes(decode::id_bytes(id)?), workspace))
    });
    ids.collect()
}

async fn pin(db: &mut Db<'_>, grants: &[(GrantId, WorkspaceId)], version: PolicyVersion) -> Result<(), StoreError> {
    let sql = db.sql(&PIN);
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for (id, _) in grants {
                sqlx::query(sql).bind(&id.as_bytes()[..]).bind(version.value()).execute(&mut **conn).await?;
            }
        }
        DbConn::Postgres(conn) => {
            let ids: Vec<&[u8]> = grants.iter().map(|(id, _)| &id.as_bytes()[..]).collect();
            sqlx::query(sql).bind(ids).bind(version.value()).execute(&mut **conn).await?;
        }
    }
    Ok(())
}

async fn apply(
    db: &mut Db<'_>,
    rules: &ApplyRules,
    audit: &AuditEvent,
) -> Result<(AppliedPart, Vec<Applied>), StoreError> {
    let ids = select(db, rules).await?;
    let Some((last, _)) = ids.last().copied() else {
        return Ok((AppliedPart { grants: 0, next: None }, Vec::new()));
    };
    pin(db, &ids, rules.version).await?;
    let grants = ids.len() as u64;
    let detail =
        serde_json::json!({ "policy": &*rules.policy, "version": rules.version.to_string(), "grants": grants });
    audit::insert(db, &[&audit.clone().with_detail(&detail)]).await?;
    let entries = ids.iter().map(|(id, workspace)| Entry {
        kind: LogKind::Changed,
        key: id.as_bytes(),
        policy: "",
        at: rules.at,
        workspace: Some(*workspace),
    });
    let revision = revision::append(db, &entries.collect::<Vec<_>>()).await?;
    let applied = ids.into_iter().map(|(id, _)| Applied { revision, target: Target::Changed(id), changed: true });
    let next = (grants == BATCH.unsigned_abs()).then_some(last);
    Ok((AppliedPart { grants, next }, applied.collect()))
}

impl Store {
    /// How many living grants of the policy are under other rules.
    pub(crate) async fn count_under_other_rules(&self, rules: ApplyRules) -> Result<u64, StoreError> {
        let count: i64 = self
            .database
            .read(move |mut db| {
                let rules = rules.clone();
                Box::pin(async move {
                    let sql = db.sql(&COUNT);
                    let after: &[u8] = rules.after.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        let query =
                            sqlx::query_scalar(sql).bind(&*rules.policy).bind(after).bind(rules.version.value());
                        query.fetch_one(&mut **conn).await
                    })?)
                })
            })
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Changes the next part of the grants; nobody rests on what they were when this returns.
    pub(crate) async fn apply_rules(
        &self,
        rules: ApplyRules,
        audit: AuditEvent,
    ) -> Result<(AppliedPart, Vec<Applied>), StoreError> {
        let work = Arc::new((rules, audit));
        self.database
            .transact_revoking("policy.apply", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move { apply(&mut db, &work.0, &work.1).await })
            })
            .await
    }
}

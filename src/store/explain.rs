//! What an explanation is put together from: the acts on one thing, and the cut-offs that reach a grant.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Revision};
use crate::domain::ids::WorkspaceId;

/// The condition is that of the index `audit_by_target`, word for word.
static ACTS: Statement = Statement::both(
    "explain.acts",
    "SELECT at, action, actor, request_id, detail FROM audit_event WHERE target = $1 AND workspace_id = $2 AND \
     action NOT IN ('token.issue', 'token.create', 'token.refresh', 'session.open') ORDER BY at DESC LIMIT $3",
);
/// What the index leaves out, where it is known when it happened.
static ACTS_AROUND: Statement = Statement::both(
    "explain.acts_around",
    "SELECT at, action, actor, request_id, detail FROM audit_event WHERE workspace_id = $2 AND at BETWEEN $3 AND $4 AND \
     target = $1 ORDER BY at",
);
static CUT_OFFS: Statement = Statement::both(
    "explain.cut_offs",
    "SELECT subject, policy, at, raised_by FROM cutoff WHERE subject IN ($1, $2, $3) AND policy IN ('', $4) AND \
     revision > $5 ORDER BY revision",
);

pub(super) const STATEMENTS: &[&Statement] = &[&ACTS, &ACTS_AROUND, &CUT_OFFS];

/// An act as the audit log has it.
#[derive(Clone, Debug, FromRow)]
pub struct Act {
    at: i64,
    pub action: String,
    pub actor: String,
    pub request_id: Option<String>,
    /// JSON.
    pub detail: Option<String>,
}

impl Act {
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_ms(self.at)
    }
}

/// A mass revocation that reaches a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub at: Timestamp,
    pub reach: CutReach,
    /// Empty: all policies.
    pub policy: String,
    pub by: Option<String>,
}

/// Whose grants it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutReach {
    Owner,
    Client,
    Workspace,
}

#[derive(FromRow)]
struct CutRow {
    subject: Vec<u8>,
    policy: String,
    at: i64,
    raised_by: Option<String>,
}

/// An act is written a moment after the time that it carries.
const AROUND_MS: i64 = 5_000;

impl Store {
    /// The newest acts on `target`, and the frequent ones of about the given moments.
    pub(crate) async fn list_acts(
        &self,
        workspace: WorkspaceId,
        target: String,
        moments: Vec<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Act>, StoreError> {
        self.database
            .read(move |mut db| {
                let (target, moments) = (target.clone(), moments.clone());
                Box::pin(async move { list_acts(&mut db, workspace, &target, &moments, limit).await })
            })
            .await
    }

    /// The cut-offs that end `grant`, the first one first.
    pub(crate) async fn list_cuts(&self, grant: &Grant) -> Result<Vec<Cut>, StoreError> {
        let workspace = *grant.workspace.id.as_bytes();
        let user = grant.owner.user_id().map(|id| *id.as_bytes());
        let client = grant.client.as_ref().map(|client| *client.key.as_bytes());
        let (policy, revision) = (grant.policy.clone(), grant.revision);
        let rows = self.database.read(move |mut db| {
            let policy = policy.clone();
            Box::pin(async move { list_cuts(&mut db, [Some(workspace), user, client], &policy, revision).await })
        });
        let cuts = rows.await?.into_iter().map(|row| Cut {
            at: Timestamp::from_ms(row.at),
            reach: if row.subject == workspace {
                CutReach::Workspace
            } else if user.is_some_and(|user| row.subject == user) {
                CutReach::Owner
            } else {
                CutReach::Client
            },
            policy: row.policy,
            by: row.raised_by,
        });
        Ok(cuts.collect())
    }
}

async fn list_acts(
    db: &mut Db<'_>,
    workspace: WorkspaceId,
    target: &str,
    moments: &[Timestamp],
    limit: u32,
) -> Result<Vec<Act>, StoreError> {
    let workspace: &[u8] = workspace.as_bytes();
    let sql = db.sql(&ACTS);
    let mut acts: Vec<Act> = on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(target).bind(workspace).bind(i64::from(limit));
        query.fetch_all(&mut **conn).await
    })?;
    for moment in moments {
        let sql = db.sql(&ACTS_AROUND);
        let (from, to) = (moment.ms() - AROUND_MS, moment.ms() + AROUND_MS);
        let found: Vec<Act> = on_conn!(db, |conn| {
            let query = sqlx::query_as(sql).bind(target).bind(workspace).bind(from).bind(to);
            query.fetch_all(&mut **conn).await
        })?;
        acts.extend(found);
    }
    acts.sort_by(|a, b| (a.at, &a.action, &a.request_id).cmp(&(b.at, &b.action, &b.request_id)));
    acts.dedup_by(|a, b| (a.at, &a.action, &a.request_id) == (b.at, &b.action, &b.request_id));
    Ok(acts)
}

async fn list_cuts(
    db: &mut Db<'_>,
    subjects: [Option<[u8; 16]>; 3],
    policy: &str,
    revision: Revision,
) -> Result<Vec<CutRow>, StoreError> {
    let sql = db.sql(&CUT_OFFS);
    let [workspace, user, client] = subjects.each_ref().map(|subject| subject.as_ref().map(|id| &id[..]));
    Ok(on_conn!(db, |conn| {
        let query = sqlx::query_as(sql).bind(workspace).bind(user).bind(client).bind(policy).bind(revision.value());
        query.fetch_all(&mut **conn).await
    })?)
}

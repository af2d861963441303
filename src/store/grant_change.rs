//! The write that edits, disables, deletes and revokes grants as people manage them: hold the rows, decide, change, log,
//! audit, in one transaction.
//!
//! What is decided is decided on rows that are held, so that a dry run and the act that follows see the same rules, and
//! an act never rests on what somebody else has changed meanwhile.

use std::sync::Arc;

use super::audit::{self, AuditEvent};
use super::cutoff::{self, Subject};
use super::database::{Db, DbConn};
use super::family;
use super::grant;
use super::grant_query::{self, GrantQuery, Summary};
use super::revision::{self, Entry, LogKind};
use super::revoke::{Applied, Target};
use super::statement::Statement;
use super::token::{self, NewToken};
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Revision};
use crate::domain::ids::{ClientKey, GrantId, UserId};
use crate::domain::token_string::TokenKind;

static REVOKE: Statement = Statement::each(
    "grant.revoke_many",
    "UPDATE grant_ SET state = 'revoked', revoked_at = $2, revoked_by = $3, revoke_reason = $4, version = version + 1 \
     WHERE id = $1",
    "UPDATE grant_ SET state = 'revoked', revoked_at = $2, revoked_by = $3, revoke_reason = $4, version = version + 1 \
     WHERE id = ANY($1)",
);
static DISABLE: Statement = Statement::each(
    "grant.disable_many",
    "UPDATE grant_ SET spares_access = (state = 'active' AND $4), \
     state = CASE state WHEN 'active' THEN 'disabled' ELSE state END, disabled_at = COALESCE(disabled_at, $2), \
     disabled_by = COALESCE(disabled_by, $3), version = version + 1 WHERE id = $1",
    "UPDATE grant_ SET spares_access = (state = 'active' AND $4), \
     state = CASE state WHEN 'active' THEN 'disabled' ELSE state END, disabled_at = COALESCE(disabled_at, $2), \
     disabled_by = COALESCE(disabled_by, $3), version = version + 1 WHERE id = ANY($1)",
);
static DELETE: Statement = Statement::each(
    "grant.delete_many",
    "UPDATE grant_ SET deleted_at = $2, version = version + 1 WHERE id = $1",
    "UPDATE grant_ SET deleted_at = $2, version = version + 1 WHERE id = ANY($1)",
);
static EDIT: Statement = Statement::both(
    "grant.edit",
    "UPDATE grant_ SET user_id = $2, client_key = $3, apis = $4, plans = $5, extra_fields = $6, \
     revision = CASE WHEN revision < $7 THEN $7 ELSE revision END, version = version + 1 WHERE id = $1",
);
static REPLACE_TOKENS: Statement = Statement::both(
    "grant.replace_tokens",
    "UPDATE grant_ SET current_from = $2, overlap_until = $3, version = version + 1 WHERE id = $1",
);

pub(super) const STATEMENTS: &[&Statement] = &[&REVOKE, &DISABLE, &DELETE, &EDIT, &REPLACE_TOKENS];

/// Which grants an act is about.
#[derive(Clone, Debug)]
pub enum Selection {
    Ids(Vec<GrantId>),
    Matching(Box<GrantQuery>),
}

/// What is done to one grant.
#[derive(Clone, Debug)]
pub enum Act {
    Revoke,
    /// `spare_access`: access tokens live on to their own end.
    Disable {
        spare_access: bool,
    },
    Delete {
        spare_access: bool,
    },
    Edit(Edit),
    Replace(Replacement),
}

/// The fields that can be edited, as they will be.
#[derive(Clone, Debug)]
pub struct Edit {
    pub user: Option<UserId>,
    pub client: Option<ClientKey>,
    pub apis: Vec<String>,
    pub plans: Vec<String>,
    pub extra_fields: serde_json::Map<String, serde_json::Value>,
    /// The log position at which the new owner was read as alive.
    pub as_of: Revision,
}

/// New tokens in the place of those that a grant has.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The generation that the grant's tokens have had to be of so far.
    pub after: i64,
    /// Until when the replaced ones are accepted.
    pub overlap_until: Option<Timestamp>,
    pub tokens: Vec<NewToken>,
}

/// One grant's share of a change.
#[derive(Clone, Debug)]
pub struct GrantWrite {
    pub grant: GrantId,
    pub act: Act,
    pub audit: AuditEvent,
}

/// Everything that one call changes.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub writes: Vec<GrantWrite>,
    /// All grants of these owners under these policies die too.
    pub cut_offs: Vec<(Subject, String)>,
    /// Of acts that are not about single grants.
    pub audit: Vec<AuditEvent>,
}

/// By whom and when.
#[derive(Clone, Debug)]
pub struct Author {
    pub at: Timestamp,
    pub by: String,
    pub reason: Option<String>,
}

/// What a decision may look at besides the grants: how many match other queries.
pub struct Held<'a> {
    pub grants: &'a [Grant],
    /// One summary for each query that was asked for.
    pub summaries: &'a [Summary],
}

/// A change that was committed.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The revision at which it is in force everywhere; `None` when nothing was changed.
    pub revision: Option<Revision>,
}

/// What is to be summed up inside the transaction, for grants that are held.
pub type Questions = Arc<dyn Fn(&[Grant]) -> Vec<(GrantQuery, Timestamp)> + Send + Sync>;
/// Decides what to do with the grants that are held; `Err` stops the call and changes nothing.
pub type Decision<R, D> = Arc<dyn Fn(&Held<'_>) -> Result<(Changes, D), R> + Send + Sync>;

impl Store {
    /// Holds the selected grants, asks `decide`, and does what it says. A dry run is a decision without changes.
    pub(crate) async fn change_grants<R, D>(
        &self,
        selection: Selection,
        questions: Questions,
        author: Author,
        decide: Decision<R, D>,
    ) -> Result<Result<(Committed, D), R>, StoreError>
    where
        R: Send + 'static,
        D: Send + 'static,
    {
        let (selection, author) = (Arc::new(selection), Arc::new(author));
        let done = self
            .database
            .transact_revoking("grant.change", move |mut db| {
                let (selection, author) = (Arc::clone(&selection), Arc::clone(&author));
                let (questions, decide) = (Arc::clone(&questions), Arc::clone(&decide));
                Box::pin(async move {
                    let grants = hold(&mut db, &selection).await?;
                    let mut summaries = Vec::new();
                    for (query, since) in questions(&grants) {
                        summaries.push(grant_query::summarize(&mut db, &query, since).await?);
                    }
                    Ok(match decide(&Held { grants: &grants, summaries: &summaries }) {
                        Ok((changes, detail)) => (Ok(detail), apply(&mut db, &author, &changes).await?),
                        Err(stop) => (Err(stop), Vec::new()),
                    })
                })
            })
            .await?;
        let (decided, applied) = done;
        let revision = applied.first().map(|first: &Applied| first.revision);
        Ok(decided.map(|detail| (Committed { revision }, detail)))
    }
}

/// Locks the grants, in the order of their ids where they are named, so that two calls can't wait for each other.
async fn hold(db: &mut Db<'_>, selection: &Selection) -> Result<Vec<Grant>, StoreError> {
    match selection {
        Selection::Matching(query) => grant_query::lock_matching(db, query).await,
        Selection::Ids(ids) => {
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let mut grants = Vec::with_capacity(sorted.len());
            for id in sorted {
                grants.extend(grant::lock(db, id).await?);
            }
            Ok(grants)
        }
    }
}

async fn apply(db: &mut Db<'_>, author: &Author, changes: &Changes) -> Result<Vec<Applied>, StoreError> {
    if changes.writes.is_empty() && changes.cut_offs.is_empty() {
        return Ok(Vec::new());
    }
    let ids = |wanted: fn(&Act) -> bool| -> Vec<GrantId> {
        changes.writes.iter().filter(|write| wanted(&write.act)).map(|write| write.grant).collect()
    };
    let revoked = ids(|act| matches!(act, Act::Revoke));
    revoke(db, &revoked, author).await?;
    for spare in [false, true] {
        let ended: Vec<GrantId> =
            changes.writes.iter().filter(|write| write.act.ends(spare)).map(|w| w.grant).collect();
        disable(db, &ended, author, spare).await?;
    }
    delete(db, &ids(|act| matches!(act, Act::Delete { .. })), author.at).await?;
    for write in &changes.writes {
        match &write.act {
            Act::Edit(change) => edit(db, write.grant, change).await?,
            Act::Replace(replacement) => replace_tokens(db, write.grant, replacement).await?,
            Act::Revoke | Act::Disable { .. } | Act::Delete { .. } => {}
        }
    }
    let audits = changes.writes.iter().map(|write| &write.audit).chain(&changes.audit);
    audit::insert(db, &audits.collect::<Vec<_>>()).await?;
    // All of it is done by one caller, in one workspace.
    let workspace =
        changes.writes.iter().map(|write| &write.audit).chain(&changes.audit).map(|audit| audit.workspace).next();
    let entry = |kind, key, policy| Entry { kind, key, policy, at: author.at, workspace };
    let named = changes.writes.iter().map(|write| match write.act {
        Act::Revoke => entry(LogKind::Grant, write.grant.as_bytes(), ""),
        _ => entry(LogKind::Changed, write.grant.as_bytes(), ""),
    });
    let cut =
        changes.cut_offs.iter().map(|(subject, policy)| entry(LogKind::CutOff, subject.as_bytes(), policy.as_str()));
    let revision = revision::append(db, &named.chain(cut).collect::<Vec<_>>()).await?;
    for (subject, policy) in &changes.cut_offs {
        cutoff::raise(db, *subject, policy, revision, author.at, &author.by).await?;
    }
    let grants = changes.writes.iter().map(|write| match write.act {
        Act::Revoke => Target::Grant(write.grant),
        _ => Target::Changed(write.grant),
    });
    let cut_offs = changes.cut_offs.iter().map(|(subject, policy)| Target::CutOff {
        subject: *subject,
        policy: policy.clone(),
        marked: None,
    });
    Ok(grants.chain(cut_offs).map(|target| Applied { revision, target, changed: true }).collect())
}

impl Act {
    /// Whether it ends the grant, sparing access tokens or not.
    const fn ends(&self, spare: bool) -> bool {
        matches!(self, Self::Disable { spare_access } | Self::Delete { spare_access } if *spare_access == spare)
    }
}

async fn revoke(db: &mut Db<'_>, ids: &[GrantId], author: &Author) -> Result<(), StoreError> {
    let sql = db.sql(&REVOKE);
    let (at, by, reason) = (author.at.ms(), author.by.as_str(), author.reason.as_deref());
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for id in ids {
                let query = sqlx::query(sql).bind(&id.as_bytes()[..]).bind(at).bind(by).bind(reason);
                query.execute(&mut **conn).await?;
            }
        }
        DbConn::Postgres(_) if ids.is_empty() => {}
        DbConn::Postgres(conn) => {
            sqlx::query(sql).bind(bytes(ids)).bind(at).bind(by).bind(reason).execute(&mut **conn).await?;
        }
    }
    Ok(())
}

async fn disable(db: &mut Db<'_>, ids: &[GrantId], author: &Author, spare: bool) -> Result<(), StoreError> {
    let sql = db.sql(&DISABLE);
    let (at, by) = (author.at.ms(), author.by.as_str());
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for id in ids {
                let query = sqlx::query(sql).bind(&id.as_bytes()[..]).bind(at).bind(by).bind(spare);
                query.execute(&mut **conn).await?;
            }
        }
        DbConn::Postgres(_) if ids.is_empty() => {}
        DbConn::Postgres(conn) => {
            sqlx::query(sql).bind(bytes(ids)).bind(at).bind(by).bind(spare).execute(&mut **conn).await?;
        }
    }
    Ok(())
}

async fn delete(db: &mut Db<'_>, ids: &[GrantId], at: Timestamp) -> Result<(), StoreError> {
    let sql = db.sql(&DELETE);
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for id in ids {
                sqlx::query(sql).bind(&id.as_bytes()[..]).bind(at.ms()).execute(&mut **conn).await?;
            }
        }
        DbConn::Postgres(_) if ids.is_empty() => {}
        DbConn::Postgres(conn) => {
            sqlx::query(sql).bind(bytes(ids)).bind(at.ms()).execute(&mut **conn).await?;
        }
    }
    Ok(())
}

async fn edit(db: &mut Db<'_>, id: GrantId, edit: &Edit) -> Result<(), StoreError> {
    let sql = db.sql(&EDIT);
    on_conn!(db, |conn| {
        sqlx::query(sql)
            .bind(&id.as_bytes()[..])
            .bind(edit.user.as_ref().map(|id| &id.as_bytes()[..]))
            .bind(edit.client.as_ref().map(|id| &id.as_bytes()[..]))
            .bind(decode::to_json(&edit.apis))
            .bind(decode::to_json(&edit.plans))
            .bind(decode::to_json(&edit.extra_fields))
            .bind(edit.as_of.value())
            .execute(&mut **conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

async fn replace_tokens(db: &mut Db<'_>, id: GrantId, replacement: &Replacement) -> Result<(), StoreError> {
    let family = family::lock(db, id).await?;
    let generation = family.map_or(0, |family| family.generation).max(replacement.after) + 1;
    let sql = db.sql(&REPLACE_TOKENS);
    let until = replacement.overlap_until.map(Timestamp::ms);
    on_conn!(db, |conn| {
        let query = sqlx::query(sql).bind(&id.as_bytes()[..]).bind(generation).bind(until);
        query.execute(&mut **conn).await.map(drop)
    })?;
    let tokens: Vec<NewToken> =
        replacement.tokens.iter().map(|token| NewToken { generation, ..token.clone() }).collect();
    token::insert(db, &tokens.iter().collect::<Vec<_>>()).await?;
    match tokens.iter().find(|token| token.kind == TokenKind::Refresh) {
        Some(refresh) => family::restart(db, id, generation, refresh.id).await,
        None => Ok(()),
    }
}

fn bytes(ids: &[GrantId]) -> Vec<&[u8]> {
    ids.iter().map(|id| &id.as_bytes()[..]).collect()
}

//! The write that revokes: mark or cut off, log, audit, in one group commit.

use futures_util::future::BoxFuture;

use super::audit::AuditEvent;
use super::cutoff::Subject;
use super::database::{Database, Db};
use super::group_commit::Batch;
use super::revision::LogKind;
use super::{Store, StoreError, audit, client, cutoff, grant, revision};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Changed, Revision};
use crate::domain::ids::{ClientKey, GrantId, WorkspaceId};

/// One revocation.
#[derive(Clone, Debug)]
pub struct Revoke {
    pub target: Target,
    pub at: Timestamp,
    /// `user:…` or `client:…`
    pub by: String,
    pub reason: Option<String>,
    pub audit: AuditEvent,
}

/// What a revocation reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One grant, with everything that was issued or minted under it.
    Grant(GrantId),
    /// All grants of a subject that exist now; under one policy, or all where it is empty. `marked` is the grant
    /// that was named, if one was: it shows who revoked it and when.
    CutOff { subject: Subject, policy: String, marked: Option<GrantId> },
    /// A client and all its grants.
    Client(ClientKey),
    /// One grant was edited: what is remembered of it is out of date, not dead.
    Changed(GrantId),
    /// An API, a plan, a client or a setting of the workspace was changed: what is remembered of them is out of date.
    Catalog(WorkspaceId),
}

/// A committed revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub revision: Revision,
    pub target: Target,
    /// False when it had been revoked before.
    pub changed: bool,
}

impl Batch for Revoke {
    type Output = Applied;

    const NAME: &'static str = "revoke";
    /// They queue for the head row anyway.
    const WRITERS: usize = 1;

    async fn write(db: &mut Db<'_>, members: &[&Self]) -> Result<Vec<Applied>, StoreError> {
        // All batches lock in the order of the ids, so that two of them can't wait for each other.
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by_key(|index| members[*index].grant());
        let mut changed = vec![false; members.len()];
        for index in order {
            changed[index] = members[index].mark(db).await?;
        }
        let done: Vec<&&Self> = members.iter().zip(&changed).filter(|(_, changed)| **changed).map(|(m, _)| m).collect();
        audit::insert(db, &done.iter().map(|revoke| &revoke.audit).collect::<Vec<_>>()).await?;
        let revision = if done.is_empty() { revision::head(db).await? } else { revision::advance(db).await? };
        for revoke in done {
            log(db, revoke, revision).await?;
        }
        let applied = members.iter().zip(changed);
        Ok(applied.map(|(revoke, changed)| Applied { revision, target: revoke.target.clone(), changed }).collect())
    }

    fn committed(database: &Database, outputs: &[Applied]) {
        database.sink.committed(outputs);
    }

    fn outcome_unknown(database: &Database) {
        database.sink.outcome_unknown();
    }
}

impl Revoke {
    const fn grant(&self) -> Option<GrantId> {
        match self.target {
            Target::Grant(id) => Some(id),
            Target::CutOff { marked, .. } => marked,
            Target::Client(_) | Target::Changed(_) | Target::Catalog(_) => None,
        }
    }

    /// Marks the rows that are named; returns whether there is anything to log.
    async fn mark(&self, db: &mut Db<'_>) -> Result<bool, StoreError> {
        if let Some(id) = self.grant() {
            let Some(found) = grant::lock(db, id).await? else {
                return Ok(false);
            };
            if found.state.revoked() == Changed::Already {
                return Ok(false);
            }
            grant::revoke(db, id, self.at, &self.by, self.reason.as_deref()).await?;
        }
        match &self.target {
            Target::Client(key) => client::delete(db, *key, self.at).await,
            Target::Grant(_) | Target::CutOff { .. } | Target::Changed(_) | Target::Catalog(_) => Ok(true),
        }
    }
}

async fn log(db: &mut Db<'_>, revoke: &Revoke, revision: Revision) -> Result<(), StoreError> {
    let at = revoke.at;
    if let Some(id) = revoke.grant() {
        revision::log(db, revision, LogKind::Grant, id.as_bytes(), "", at).await?;
    }
    let (subject, policy) = match &revoke.target {
        Target::Grant(_) => return Ok(()),
        Target::Changed(id) => {
            return revision::log(db, revision, LogKind::Changed, id.as_bytes(), "", at).await;
        }
        Target::Catalog(id) => {
            return revision::log(db, revision, LogKind::Catalog, id.as_bytes(), "", at).await;
        }
        Target::CutOff { subject, policy, .. } => (*subject, policy.as_str()),
        Target::Client(key) => (Subject::from(*key), ""),
    };
    cutoff::raise(db, subject, policy, revision, at).await?;
    revision::log(db, revision, LogKind::CutOff, subject.as_bytes(), policy, at).await
}

/// Revokes one grant inside another transaction; the caller tells the sink after its commit.
pub(super) async fn within(db: &mut Db<'_>, revoke: &Revoke) -> Result<Applied, StoreError> {
    let mut applied = Revoke::write(db, &[revoke]).await?;
    applied.pop().ok_or(StoreError::Corrupt("revocation"))
}

impl Database {
    /// As [`Database::transact`], for work that revokes [`within`]: this process no longer accepts what it reaches when
    /// this returns. Runs to its end also if the caller goes away meanwhile.
    pub(super) async fn transact_revoking<T, F>(
        &self,
        name: &'static str,
        work: F,
    ) -> Result<(T, Option<Applied>), StoreError>
    where
        F: for<'t> Fn(Db<'t>) -> BoxFuture<'t, Result<(T, Option<Applied>), StoreError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let database = self.clone();
        let task = tokio::spawn(async move {
            let done = database.transact(name, work).await;
            match &done {
                Ok((_, Some(applied))) => database.sink.committed(std::slice::from_ref(applied)),
                Err(StoreError::OutcomeUnknown(_)) => database.sink.outcome_unknown(),
                Ok((_, None)) | Err(_) => {}
            }
            done
        });
        // A task that ended without an answer was stopped with the process.
        task.await.unwrap_or(Err(StoreError::OutcomeUnknown(None)))
    }
}

impl Store {
    /// Returns once the revocation is durable and this process no longer accepts what it reaches.
    pub(crate) async fn revoke(&self, revoke: Revoke) -> Result<Applied, StoreError> {
        self.revoke.submit(revoke).await
    }
}

//! The write that revokes: mark or cut off, log, audit, in one group commit.

use std::collections::HashSet;

use futures_util::future::BoxFuture;

use super::audit::AuditEvent;
use super::cutoff::Subject;
use super::database::{Database, Db, DbConn};
use super::group_commit::Batch;
use super::legacy_import::ImportChange;
use super::revision::{Entry, LogKind};
use super::{
    Store, StoreError, audit, client, cutoff, grant, legacy_import, revision, revoke_grants, workspace_change,
};
use crate::domain::clock::Timestamp;
use crate::domain::grant::Revision;
use crate::domain::ids::{ClientKey, GrantId, WorkspaceId};
use crate::domain::mutant::{self, Mutant};

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
    /// A workspace and everything in it.
    Workspace(WorkspaceId),
    /// One grant was edited: what is remembered of it is out of date, not dead.
    Changed(GrantId),
    /// An API, a plan, a client or a setting of the workspace was changed: what is remembered of them is out of date.
    Catalog(WorkspaceId),
    /// An import of tokens of an older system is made, extended or revoked.
    Import(ImportChange),
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

    /// A statement that was sent and not answered holds nothing until it has arrived: whoever settles what is unknown can't wait
    /// for it. It is in the log if it has happened, and that does where the log is followed.
    fn one_statement(database: &Database, members: &[&Self]) -> bool {
        !database.alone && all_name_grants(members)
    }

    async fn write(db: &mut Db<'_>, members: &[&Self]) -> Result<Vec<Applied>, StoreError> {
        if all_name_grants(members) && matches!(db.conn, DbConn::Postgres(_)) {
            return write_grants(db, members).await;
        }
        let changed = mark(db, members).await?;
        let done: Vec<&Self> = members.iter().zip(&changed).filter(|(_, changed)| **changed).map(|(m, _)| *m).collect();
        let revision = if done.is_empty() {
            revision::head(db).await?
        } else {
            audit::insert(db, &done.iter().map(|revoke| &revoke.audit).collect::<Vec<_>>()).await?;
            log(db, &done).await?
        };
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
            Target::Client(_) | Target::Workspace(_) | Target::Changed(_) | Target::Catalog(_) | Target::Import(_) => {
                None
            }
        }
    }

    /// How the grant that is named is marked, if one is.
    fn marks(&self) -> Option<grant::Revoked<'_>> {
        Some(grant::Revoked { id: self.grant()?, at: self.at, by: &self.by, reason: self.reason.as_deref() })
    }

    /// Whose it is: of a workspace, that one; of all else, that of who does it.
    const fn workspace(&self) -> WorkspaceId {
        match &self.target {
            Target::Workspace(id) | Target::Catalog(id) => *id,
            Target::Grant(_) | Target::CutOff { .. } | Target::Client(_) | Target::Changed(_) | Target::Import(_) => {
                self.audit.workspace
            }
        }
    }

    const fn entry<'e>(&self, kind: LogKind, key: &'e [u8; 16], policy: &'e str) -> Entry<'e> {
        Entry { kind, key, policy, at: self.at, workspace: Some(self.workspace()) }
    }

    /// The mass revocation that it is, or is too: of whom, and under which policy.
    fn cutoff(&self) -> Option<(Subject, &str)> {
        match &self.target {
            Target::CutOff { subject, policy, .. } => Some((*subject, policy)),
            Target::Client(key) => Some((Subject::from(*key), "")),
            Target::Workspace(id) => Some((Subject::from(*id), "")),
            Target::Import(ImportChange::Revoke(id)) => Some((Subject::from(*id), "")),
            Target::Grant(_) | Target::Changed(_) | Target::Catalog(_) | Target::Import(_) => None,
        }
    }
}

fn all_name_grants(members: &[&Revoke]) -> bool {
    // That mutant is one of the statements that follow.
    !mutant::is(Mutant::NumbersNotInCommitOrder)
        && members.iter().all(|member| matches!(member.target, Target::Grant(_)))
}

/// Of members that name the same grant the first is the one who revokes it.
fn first_of_each(members: &[&Revoke]) -> Vec<bool> {
    let mut named = HashSet::new();
    members.iter().map(|member| member.grant().is_some_and(|id| named.insert(id))).collect()
}

async fn write_grants(db: &mut Db<'_>, members: &[&Revoke]) -> Result<Vec<Applied>, StoreError> {
    let first = first_of_each(members);
    let firsts: Vec<&Revoke> = members.iter().zip(&first).filter(|(_, first)| **first).map(|(one, _)| *one).collect();
    let grants: Vec<_> = firsts.iter().filter_map(|member| member.marks()).collect();
    let audits: Vec<_> = firsts.iter().map(|member| &member.audit).collect();
    let (revision, marked) = match revoke_grants::write(db, &grants, &audits).await? {
        Some(done) => done,
        None => (revision::head(db).await?, HashSet::new()),
    };
    let applied = members.iter().zip(first).map(|(member, first)| Applied {
        revision,
        target: member.target.clone(),
        changed: first && member.grant().is_some_and(|id| marked.contains(&id)),
    });
    Ok(applied.collect())
}

/// Marks the rows that are named; returns of whom there is something to log.
async fn mark(db: &mut Db<'_>, members: &[&Revoke]) -> Result<Vec<bool>, StoreError> {
    let first = first_of_each(members);
    let grants = members.iter().zip(&first).filter(|(_, first)| **first).filter_map(|(member, _)| member.marks());
    let marked = grant::revoke(db, &grants.collect::<Vec<_>>()).await?;
    let mut changed = Vec::with_capacity(members.len());
    for (member, first) in members.iter().zip(first) {
        changed.push(match (member.grant(), &member.target) {
            (Some(id), _) => first && marked.contains(&id),
            (None, Target::Client(key)) => client::delete(db, *key, member.at).await?,
            (None, Target::Workspace(id)) => workspace_change::delete(db, *id, member.at).await?,
            (None, Target::Import(change)) => legacy_import::apply(db, change, member.at).await?,
            (None, _) => true,
        });
    }
    Ok(changed)
}

/// Names all that is `done` under the next revision, and raises its cut-offs to it.
async fn log(db: &mut Db<'_>, done: &[&Revoke]) -> Result<Revision, StoreError> {
    let cutoffs: Vec<_> = done.iter().filter_map(|revoke| Some((revoke.cutoff()?, *revoke))).collect();
    let mut entries = Vec::with_capacity(done.len());
    for revoke in done {
        let mut push = |kind, key| entries.push(revoke.entry(kind, key, ""));
        match &revoke.target {
            Target::Grant(id) => push(LogKind::Grant, id.as_bytes()),
            Target::Changed(id) => push(LogKind::Changed, id.as_bytes()),
            Target::Catalog(id) | Target::Workspace(id) => push(LogKind::Catalog, id.as_bytes()),
            Target::CutOff { marked, .. } => marked.iter().for_each(|id| push(LogKind::Grant, id.as_bytes())),
            Target::Import(ImportChange::Create(import)) => push(LogKind::Catalog, import.workspace.as_bytes()),
            Target::Import(ImportChange::Extend { workspace, .. }) => push(LogKind::Catalog, workspace.as_bytes()),
            Target::Client(_) | Target::Import(ImportChange::Revoke(_)) => {}
        }
    }
    let cut =
        cutoffs.iter().map(|((subject, policy), revoke)| revoke.entry(LogKind::CutOff, subject.as_bytes(), policy));
    entries.extend(cut);
    let revision = revision::append(db, &entries).await?;
    for ((subject, policy), revoke) in &cutoffs {
        cutoff::raise(db, *subject, policy, revision, revoke.at, &revoke.by).await?;
    }
    Ok(revision)
}

/// Revokes one grant inside another transaction; the caller tells the sink after its commit.
pub(super) async fn within(db: &mut Db<'_>, revoke: &Revoke) -> Result<Applied, StoreError> {
    let mut applied = Revoke::write(db, &[revoke]).await?;
    applied.pop().ok_or(StoreError::Corrupt("revocation"))
}

/// What one transaction has revoked.
pub(super) trait Revoked: Send + 'static {
    fn all(&self) -> &[Applied];
}

impl Revoked for Option<Applied> {
    fn all(&self) -> &[Applied] {
        self.as_slice()
    }
}

impl Revoked for Vec<Applied> {
    fn all(&self) -> &[Applied] {
        self
    }
}

impl Database {
    /// As [`Database::transact`], for work that revokes [`within`]: this process no longer accepts what it reaches when
    /// this returns. Runs to its end also if the caller goes away meanwhile.
    pub(super) async fn transact_revoking<T, R, F>(&self, name: &'static str, work: F) -> Result<(T, R), StoreError>
    where
        F: for<'t> Fn(Db<'t>) -> BoxFuture<'t, Result<(T, R), StoreError>> + Send + Sync + 'static,
        T: Send + 'static,
        R: Revoked,
    {
        let database = self.clone();
        let task = tokio::spawn(async move {
            let done = database.transact(name, work).await;
            match &done {
                Ok((_, revoked)) if !revoked.all().is_empty() => database.sink.committed(revoked.all()),
                Err(StoreError::OutcomeUnknown(_)) => database.sink.outcome_unknown(),
                Ok(_) | Err(_) => {}
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

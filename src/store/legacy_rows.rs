//! A batch of imported rows in one transaction, really or as a dry run: both take the same way up to what is written.

use std::sync::Arc;

use super::audit::{self, AuditEvent};
use super::database::Db;
use super::legacy_claim::{self, Claim};
use super::legacy_import::{self, Import, ImportState, Tally};
use super::legacy_owner::NamedOwner;
use super::user::Role;
use super::{Store, StoreError, legacy_grants, legacy_owner, revision};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, ImportId, TokenId};
use crate::domain::keys::KeyVersion;
use crate::domain::legacy::{Credential, Refusal};
use crate::domain::scope::Scopes;

/// One row, read and checked as far as that is possible without the store.
#[derive(Clone, Debug)]
pub struct ImportRow {
    pub line: u64,
    pub token: TokenId,
    pub grant: GrantId,
    pub credential: Credential,
    pub owner: NamedOwner,
    pub name: Option<String>,
    pub scopes: Scopes,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// Rows that are dealt with in one transaction.
#[derive(Clone, Debug)]
pub struct ImportBatch {
    pub import: ImportId,
    /// `None`: import them. Otherwise the dry run that they belong to.
    pub dry_run: Option<[u8; 16]>,
    /// The first of an upload that begins with line 1: counting starts again.
    pub starts: bool,
    /// The last of an upload that has come to its end.
    pub ends: bool,
    /// The last line that it covers.
    pub last_line: u64,
    pub rows: Vec<ImportRow>,
    /// Lines that can't be rows.
    pub refused_lines: Vec<u64>,
    pub key_version: KeyVersion,
    /// Owners with a higher role are not whom the caller may make tokens for.
    pub role: Role,
    pub at: Timestamp,
    pub audit: AuditEvent,
}

/// What has become of a batch.
#[derive(Clone, Debug)]
pub enum Batched {
    /// The import does not take rows any more.
    Closed,
    Done {
        imported: u64,
        skipped: u64,
        refused: Vec<(u64, Refusal)>,
        tally: Tally,
    },
}

impl ImportRow {
    pub(super) const fn key(&self) -> [u8; 32] {
        *self.credential.import_key.as_bytes()
    }
}

impl Store {
    /// Imports a batch, or finds out what importing it would do.
    pub(crate) async fn import_batch(&self, batch: ImportBatch) -> Result<Batched, StoreError> {
        let batch = Arc::new(batch);
        self.database
            .transact("legacy.import_batch", move |mut db| {
                let batch = Arc::clone(&batch);
                Box::pin(async move { batch.run(&mut db).await })
            })
            .await
    }
}

impl ImportBatch {
    async fn run(&self, db: &mut Db<'_>) -> Result<Batched, StoreError> {
        let Some(import) = legacy_import::lock(db, self.import).await? else {
            return Ok(Batched::Closed);
        };
        if !import.state.is_live() || import.new.deadline <= self.at {
            return Ok(Batched::Closed);
        }
        // The log position before the owners are read: what is revoked from now on reaches what is imported here.
        let as_of = revision::head(db).await?;
        let named = self.rows.iter().map(|row| &row.owner);
        let owners = legacy_owner::find(db, import.new.workspace, import.new.fallback, named).await?;
        let (mut owned, mut refused) = (Vec::with_capacity(self.rows.len()), Vec::new());
        for row in &self.rows {
            match owners.of(&row.owner, self.role) {
                Ok(owner) => owned.push((row, owner)),
                Err(refusal) => refused.push((row.line, refusal)),
            }
        }
        let rows: Vec<&ImportRow> = owned.iter().map(|(row, _)| *row).collect();
        let claims = match self.dry_run {
            None => legacy_claim::claim(db, self, &rows).await?,
            Some(pass) => legacy_claim::pretend(db, self, pass, &rows).await?,
        };
        let (mut new, mut known_lines) = (Vec::new(), Vec::new());
        for ((row, owner), claim) in owned.iter().zip(claims) {
            match claim {
                Claim::New => new.push((*row, *owner)),
                Claim::Known => known_lines.push(row.line),
                Claim::TakenToken => refused.push((row.line, Refusal::InUse)),
                Claim::TakenHint => refused.push((row.line, Refusal::HintInUse)),
            }
        }
        let refused_lines = self.refused_lines.iter().copied().chain(refused.iter().map(|(line, _)| *line));
        let tally = self.tally(&import, new.len(), &known_lines, refused_lines);
        if self.dry_run.is_none() {
            legacy_grants::insert(db, &import, &new, as_of).await?;
            self.finish(db, &import, tally, new.len()).await?;
        }
        let (imported, skipped) = (new.len() as u64, known_lines.len() as u64);
        Ok(Batched::Done { imported, skipped, refused, tally })
    }

    /// Lines that were counted before are not counted again.
    fn tally(&self, import: &Import, new: usize, known: &[u64], refused: impl Iterator<Item = u64>) -> Tally {
        let before =
            if self.starts { Tally { imported: import.tally.imported, ..Tally::default() } } else { import.tally };
        let is_new = |line: &u64| i64::try_from(*line).is_ok_and(|line| line > before.position);
        let count = |lines: usize| i64::try_from(lines).unwrap_or(i64::MAX);
        Tally {
            imported: before.imported + count(new),
            skipped: before.skipped + count(known.iter().filter(|line| is_new(line)).count()),
            refused: before.refused + count(refused.filter(|line| is_new(line)).count()),
            position: before.position.max(i64::try_from(self.last_line).unwrap_or(i64::MAX)),
        }
    }

    async fn finish(&self, db: &mut Db<'_>, import: &Import, tally: Tally, new: usize) -> Result<(), StoreError> {
        let (state, finished_at) =
            if self.ends { (ImportState::Complete, Some(self.at)) } else { (ImportState::Open, None) };
        legacy_import::progress(db, import.new.id, tally, state, finished_at).await?;
        if new == 0 && !self.ends {
            return Ok(());
        }
        let detail = serde_json::json!({ "imported": new, "last_line": self.last_line, "complete": self.ends });
        audit::insert(db, &[&AuditEvent { detail: Some(detail.to_string()), ..self.audit.clone() }]).await
    }
}

//! One upload of rows: read line by line, written batch by batch, in memory that does not grow with the file.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, ImportId, TokenId};
use crate::domain::keys::Keys;
use crate::domain::legacy::{GivenCredential, Hashed, Recipe, Refusal, Scheme};
use crate::domain::moment::Moment;
use crate::domain::name::{BadText, MAX_NAME_CHARS, shown_text};
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::service::Service;
use crate::service::caller::Caller;
use crate::service::error::ApiFailure;
use crate::store::legacy_import::Import;
use crate::store::legacy_owner::NamedOwner;
use crate::store::legacy_rows::{Batched, ImportBatch, ImportRow};

/// A row as it is sent: one line of NDJSON, or one record of CSV with these names in its header.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GivenRow {
    /// The token string itself, in scheme `plain`.
    pub token: Option<String>,
    /// Its hash, in the other schemes: hexadecimal or base64, or a bcrypt hash.
    pub hash: Option<String>,
    /// What stands before the separator in the token string, where the hash alone does not find it.
    pub hint: Option<String>,
    /// The owner: a user's id or name,
    pub user: Option<String>,
    /// or a client's id or name.
    pub client: Option<String>,
    pub name: Option<String>,
    pub scopes: Option<GivenScopes>,
    pub created_at: Option<Moment>,
    pub last_used_at: Option<Moment>,
    /// An end of its own, before the deadline.
    pub expires_at: Option<Moment>,
}

impl fmt::Debug for GivenRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenRow")
    }
}

/// A list of words, or words between spaces.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum GivenScopes {
    List(Vec<String>),
    Text(String),
}

/// One line that is not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = LegacyLineError)]
pub struct LineError {
    pub line: u64,
    pub code: &'static str,
    pub detail: String,
}

/// What has become of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = LegacyUpload)]
pub struct Summary {
    pub dry_run: bool,
    /// Rows that were sent; blank lines and a header are none.
    pub rows: u64,
    pub imported: u64,
    /// They were there already.
    pub skipped: u64,
    pub refused: u64,
    /// The last line that is dealt with.
    pub position: i64,
    /// The first lines that were refused.
    pub errors: Vec<LineError>,
}

/// An upload that is under way.
#[derive(Debug)]
pub struct Upload<'c> {
    service: Service,
    caller: &'c Caller,
    import: Import,
    recipe: Recipe,
    dry_run: Option<[u8; 16]>,
    starts: bool,
    last_line: u64,
    rows: Vec<ImportRow>,
    refused: Vec<(u64, Refusal)>,
    summary: Summary,
}

/// Rows of one transaction: few enough not to keep other writers waiting on SQLite.
const BATCH: usize = 1_000;
/// Errors that are told; a file that is wrong in all lines is wrong in the first ones too.
const MAX_ERRORS: usize = 100;

impl Service {
    /// Begins an upload that starts with line `from_line` of the file.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::Conflict`] for an import that takes nothing more and for lines that would be
    /// left out, or the store's.
    pub async fn begin_upload<'c>(
        &self,
        caller: &'c Caller,
        id: ImportId,
        from_line: u64,
        dry_run: bool,
    ) -> Result<Upload<'c>, ApiFailure> {
        let import = self.find_workspace_import(caller, id).await?;
        if !import.state.is_live() || import.new.deadline <= self.clock.now() {
            return Err(closed());
        }
        let position = u64::try_from(import.tally.position).unwrap_or_default();
        if from_line > position + 1 && !dry_run {
            return Err(ApiFailure::Conflict(format!("line {} comes next, not line {from_line}", position + 1).into()));
        }
        // Of the schemes only the name matters for reading rows: the key of hmac-sha256 is for tokens, not for hashes.
        let key = import.new.sealed_key.is_some().then(|| Secret::new(Vec::new()));
        let scheme = Scheme::from_parts(import.new.scheme, key).unwrap_or(Scheme::Plain);
        let (hashed, separator): (Hashed, char) = (import.new.hashed, import.new.separator);
        Ok(Upload {
            service: self.clone(),
            caller,
            recipe: Recipe { scheme, hashed, separator },
            dry_run: dry_run.then(|| self.entropy.secret()),
            starts: from_line == 1,
            last_line: from_line.saturating_sub(1),
            rows: Vec::with_capacity(BATCH),
            refused: Vec::new(),
            summary: Summary { dry_run, position: import.tally.position, ..Summary::default() },
            import,
        })
    }
}

impl Upload<'_> {
    /// Takes the row that begins in line `first` and ends in `last`, or why it is none. Returns whether it is time to
    /// [`Upload::write`].
    pub fn take(&mut self, first: u64, last: u64, row: Result<GivenRow, Refusal>) -> bool {
        self.last_line = last;
        self.summary.rows += 1;
        match row.and_then(|row| self.read(first, row)) {
            Ok(row) => self.rows.push(row),
            Err(refusal) => self.refused.push((first, refusal)),
        }
        self.rows.len() + self.refused.len() >= BATCH
    }

    /// Writes what was taken since the last time.
    ///
    /// # Errors
    /// [`ApiFailure::Conflict`] when the import was revoked or has ended meanwhile, or the store's: then all batches before
    /// this one are written.
    pub async fn write(&mut self) -> Result<(), ApiFailure> {
        self.write_batch(false).await
    }

    /// Writes the rest: the file has come to its end.
    ///
    /// # Errors
    /// As [`Upload::write`].
    pub async fn finish(mut self) -> Result<Summary, ApiFailure> {
        let written = self.write_batch(true).await;
        self.forget().await;
        written?;
        Ok(self.summary)
    }

    /// Leaves off: what was written stays, what was only taken is forgotten.
    pub async fn abandon(self) -> Summary {
        self.forget().await;
        self.summary
    }

    async fn forget(&self) {
        if let Some(pass) = self.dry_run
            && let Err(error) = self.service.store.forget_dry_run(pass).await
        {
            tracing::info!(error = ?error, "what a dry run has left behind is removed later");
        }
    }

    async fn write_batch(&mut self, ends: bool) -> Result<(), ApiFailure> {
        let service = &self.service;
        let caller = self.caller;
        let target = self.import.new.id.to_string();
        let refused = std::mem::take(&mut self.refused);
        let batch = ImportBatch {
            import: self.import.new.id,
            dry_run: self.dry_run,
            starts: std::mem::take(&mut self.starts),
            ends,
            last_line: self.last_line,
            rows: std::mem::replace(&mut self.rows, Vec::with_capacity(BATCH)),
            refused_lines: refused.iter().map(|(line, _)| *line).collect(),
            key_version: service.codec.keys().current().version(),
            role: caller.user.role,
            at: service.clock.now(),
            audit: service.audit_event(
                &caller.context,
                caller.workspace.id,
                caller.actor(),
                "legacy_import.rows",
                target,
            ),
        };
        let Batched::Done { imported, skipped, refused: by_store, tally } = service.store.import_batch(batch).await?
        else {
            return Err(closed());
        };
        self.summary.imported += imported;
        self.summary.skipped += skipped;
        if self.dry_run.is_none() {
            self.summary.position = tally.position;
        }
        self.report(refused, by_store);
        Ok(())
    }

    fn report(&mut self, mut refused: Vec<(u64, Refusal)>, by_store: Vec<(u64, Refusal)>) {
        refused.extend(by_store);
        refused.sort_by_key(|(line, _)| *line);
        self.summary.refused += refused.len() as u64;
        let room = MAX_ERRORS.saturating_sub(self.summary.errors.len());
        let told = refused.into_iter().take(room);
        self.summary.errors.extend(told.map(|(line, refusal)| LineError {
            line,
            code: refusal.code(),
            detail: refusal.to_string(),
        }));
    }

    fn read(&self, line: u64, row: GivenRow) -> Result<ImportRow, Refusal> {
        let now = self.service.clock.now();
        let keys: &Keys = self.service.codec.keys().current();
        let given =
            GivenCredential { token: row.token.as_deref(), hash: row.hash.as_deref(), hint: row.hint.as_deref() };
        let credential = self.recipe.read(given, keys, self.import.new.workspace)?;
        if row.token.as_deref().is_some_and(|token| self.service.codec.parse(token).is_ok()) {
            return Err(Refusal::OurOwn);
        }
        let owner = match (row.user, row.client) {
            (Some(_), Some(_)) => return Err(Refusal::TwoOwners),
            (Some(user), None) => NamedOwner::User(user),
            (None, Some(client)) => NamedOwner::Client(client),
            (None, None) => NamedOwner::Nobody,
        };
        let expires_at = row.expires_at.map(|moment| moment.0);
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Refusal::Ended);
        }
        Ok(ImportRow {
            line,
            token: TokenId::new(None, self.service.entropy.unique()),
            grant: GrantId::generate(None, &self.service.entropy),
            credential,
            owner,
            name: name(row.name.as_deref())?,
            scopes: self.scopes(row.scopes)?,
            created_at: past(row.created_at, "created_at", now)?.unwrap_or(now),
            expires_at,
            last_used_at: past(row.last_used_at, "last_used_at", now)?,
        })
    }

    fn scopes(&self, given: Option<GivenScopes>) -> Result<Scopes, Refusal> {
        let scopes = match given {
            None => return Ok(self.import.new.scopes.clone()),
            Some(GivenScopes::List(words)) => Scopes::from_words(words),
            Some(GivenScopes::Text(text)) => text.parse(),
        };
        let scopes = scopes.map_err(|error| Refusal::Scopes(error.to_string()))?;
        match self.caller.scope_error(&scopes) {
            Some(error) => Err(Refusal::Scopes(error.detail.to_string())),
            None => Ok(scopes),
        }
    }
}

fn closed() -> ApiFailure {
    ApiFailure::Conflict("the import is revoked or past its deadline: it takes no rows".into())
}

fn name(text: Option<&str>) -> Result<Option<String>, Refusal> {
    match text.map(|text| shown_text(text, MAX_NAME_CHARS)) {
        None | Some(Err(BadText::Empty)) => Ok(None),
        Some(Ok(name)) => Ok(Some(name)),
        Some(Err(error)) => Err(Refusal::Name(error.to_string())),
    }
}

fn past(moment: Option<Moment>, field: &'static str, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    match moment {
        Some(moment) if moment.0 > now => Err(Refusal::InFuture(field)),
        moment => Ok(moment.map(|moment| moment.0)),
    }
}

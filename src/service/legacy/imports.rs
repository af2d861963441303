//! Imports as administrators manage them: made, shown, extended, revoked.

use base64::Engine as _;
use serde::{Deserialize, Serialize};

use super::foreign::HMAC_KEY;
use super::{RECENT, Reach};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ImportId;
use crate::domain::legacy::{Hashed, Recipe, Scheme};
use crate::domain::moment::Moment;
use crate::domain::name::{MAX_NAME_CHARS, shown_text};
use crate::domain::policy::{Creator, Credential, End, Policy};
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::service::Service;
use crate::service::caller::Caller;
use crate::service::detail::{Detail, Reason};
use crate::service::error::{ApiFailure, FieldError};
use crate::service::revoke::Receipt;
use crate::store::StoreError;
use crate::store::legacy_import::{Fallback, Import, ImportChange, ImportCursor, ImportState, NewImport, SealedKey};
use crate::store::legacy_owner::{NamedOwner, Owner};
use crate::store::revoke::{Revoke, Target};

/// What an administrator asks for.
#[derive(Debug)]
pub struct CreateImport {
    pub source: String,
    pub scheme: String,
    pub deadline: Moment,
    pub hashed: Option<Hashed>,
    pub separator: Option<String>,
    /// The key of scheme `hmac-sha256`: its bytes are those of the text.
    pub hmac_key: Option<Secret<String>>,
    /// The same, as base64.
    pub hmac_key_base64: Option<Secret<String>>,
    pub deprecated_at: Option<Moment>,
    pub link: Option<String>,
    pub scopes: Vec<String>,
    pub policy: Option<String>,
    pub unmapped_owner: Option<UnmappedOwner>,
}

/// Whose the tokens are that name no owner who is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", content = "id", rename_all = "snake_case", deny_unknown_fields)]
pub enum UnmappedOwner {
    User(String),
    Client(String),
}

/// An import as REST shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = LegacyImport)]
pub struct ImportView<'a> {
    pub id: ImportId,
    pub source: &'a str,
    pub workspace: &'a str,
    pub policy: &'a str,
    pub scheme: &'a str,
    pub hashed: Hashed,
    pub separator: char,
    /// `open`, `complete`, `ended` (past its deadline), `revoked` or `purged`.
    pub status: &'static str,
    pub deprecated_at: Timestamp,
    pub deadline: Timestamp,
    pub link: Option<&'a str>,
    pub scopes: &'a Scopes,
    /// Whether tokens without a known owner are refused.
    pub refuses_unmapped: bool,
    /// Over all uploads.
    pub imported: i64,
    /// Lines since line 1 was last sent that were there before.
    pub skipped: i64,
    /// Lines since line 1 was last sent that can't be imported.
    pub refused: i64,
    /// Imported tokens that were used here and are kept under a digest of our own since.
    pub upgraded: i64,
    /// The last line of the file that is dealt with: an upload goes on after it.
    pub position: i64,
    pub created_by: &'a str,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub version: i64,
}

impl<'a> ImportView<'a> {
    #[must_use]
    pub fn of(import: &'a Import, workspace: &'a str, now: Timestamp) -> Self {
        let new = &import.new;
        let ended = import.state.is_live() && new.deadline <= now;
        Self {
            id: new.id,
            source: &new.source,
            workspace,
            policy: &new.policy,
            scheme: new.scheme,
            hashed: new.hashed,
            separator: new.separator,
            status: if ended { "ended" } else { import.state.as_str() },
            deprecated_at: new.deprecated_at,
            deadline: new.deadline,
            link: new.link.as_deref(),
            scopes: &new.scopes,
            refuses_unmapped: new.fallback.is_none(),
            imported: import.tally.imported,
            skipped: import.tally.skipped,
            refused: import.tally.refused,
            upgraded: import.upgraded,
            position: import.tally.position,
            created_by: &new.created_by,
            created_at: new.created_at,
            finished_at: import.finished_at,
            version: import.version,
        }
    }
}

/// Shown in a header with each use.
const MAX_LINK_CHARS: usize = 500;
/// HMAC hashes a longer key first; nobody has one.
const MAX_HMAC_KEY_BYTES: usize = 1024;

impl Service {
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, [`ApiFailure::Conflict`] for a source that has an
    /// import already, or the store's.
    pub async fn create_import(&self, caller: &Caller, request: CreateImport) -> Result<Import, ApiFailure> {
        let now = self.clock.now();
        let id = ImportId::generate(now, &self.entropy);
        let mut errors = Vec::new();
        let mut check = |pointer: &str, error: Detail| errors.push(FieldError::new(pointer, error));
        let source = shown_text(&request.source, MAX_NAME_CHARS);
        let source = source.map_err(|error| check("/source", error.into())).unwrap_or_default();
        let hashed = request.hashed.unwrap_or(Hashed::Token);
        let separator = separator(request.separator.as_deref()).map_err(|error| check("/separator", error.into()));
        let key = hmac_key(&request).map_err(|(pointer, error)| check(pointer, error.into())).unwrap_or(None);
        let scheme = scheme(&request.scheme, key.as_ref()).map_err(|(pointer, error)| check(pointer, error.into()));
        let policy = self.import_policy(request.policy.as_deref()).map_err(|error| check("/policy", error.into()));
        if let Ok(policy) = policy {
            deadline_error(policy, request.deadline.0, now).into_iter().for_each(|error| check("/deadline", error));
        }
        let deprecated_at = request.deprecated_at.map_or(now, |moment| moment.0);
        if deprecated_at > request.deadline.0 {
            check("/deprecated_at", "lies after the deadline".into());
        }
        if request.link.as_deref().is_some_and(|link| !is_web_link(link)) {
            check(
                "/link",
                format!("is an http or https URL of at most {MAX_LINK_CHARS} visible ASCII characters").into(),
            );
        }
        let scopes = Scopes::from_words(&request.scopes).map_err(|error| check("/scopes", error.into()));
        if let Ok(scopes) = &scopes {
            errors.extend(caller.scope_error(scopes));
        }
        let fallback = match &request.unmapped_owner {
            Some(owner) => self.fallback(caller, owner).await?.map(Some),
            None => Ok(None),
        };
        let fallback = fallback.map_err(|error| errors.push(error)).unwrap_or(None);
        let (Ok(separator), Ok(scheme), Ok(policy), Ok(scopes), true) =
            (separator, scheme, policy, scopes, errors.is_empty())
        else {
            return Err(ApiFailure::Invalid(errors));
        };
        let import = NewImport {
            id,
            workspace: caller.workspace.id,
            source,
            policy: policy.name.to_string(),
            policy_version: policy.version,
            scheme,
            hashed,
            separator,
            sealed_key: key.map(|key| self.seal_import_key(&key, id)),
            deprecated_at,
            deadline: request.deadline.0,
            link: request.link,
            scopes,
            fallback,
            created_by: caller.actor(),
            created_at: now,
        };
        let change = ImportChange::Create(Box::new(import));
        match self.change_import(caller, id, "legacy_import.create", change).await {
            Err(StoreError::Duplicate(_)) => Err(ApiFailure::Conflict(
                "there is an import of this source already; go on with it, or name this one otherwise".into(),
            )),
            Err(error) => Err(error.into()),
            Ok(_) => self.find_workspace_import(caller, id).await,
        }
    }

    /// A page of the workspace's imports, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_imports(
        &self,
        caller: &Caller,
        after: ImportCursor,
        limit: u32,
    ) -> Result<(Vec<Import>, Option<ImportCursor>), ApiFailure> {
        let mut imports = self.store.list_imports(caller.workspace.id, after, limit + 1).await?;
        let more = imports.len() > limit as usize;
        imports.truncate(limit as usize);
        let next = imports.last().filter(|_| more);
        let next = next.map(|last| ImportCursor { created_at: last.new.created_at, id: last.new.id });
        Ok((imports, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for another workspace's import, or the store's.
    pub async fn find_workspace_import(&self, caller: &Caller, id: ImportId) -> Result<Import, ApiFailure> {
        let import = self.store.find_import(id).await?;
        let own = import.filter(|import| import.new.workspace == caller.workspace.id);
        own.ok_or(ApiFailure::NotFound("import"))
    }

    /// Moves the deadline; in force everywhere when it returns.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] for a moment that is no extension, [`ApiFailure::Conflict`] for an import that is revoked or
    /// purged, or the store's.
    pub async fn extend_import(
        &self,
        caller: &Caller,
        id: ImportId,
        deadline: Moment,
    ) -> Result<(Import, Receipt), ApiFailure> {
        let import = self.find_workspace_import(caller, id).await?;
        let policy =
            self.import_policy(Some(&import.new.policy)).map_err(|error| ApiFailure::Conflict(error.into()))?;
        if deadline.0 < import.new.deadline {
            return Err(ApiFailure::field(
                "/deadline",
                Detail::new(
                    Reason::DeadlineEarlier { present: import.new.deadline.to_string() },
                    format!("is before the present one, {}", import.new.deadline),
                ),
            ));
        }
        if let Some(error) = deadline_error(policy, deadline.0, self.clock.now()) {
            return Err(ApiFailure::field("/deadline", error));
        }
        let change = ImportChange::Extend { id, workspace: caller.workspace.id, deadline: deadline.0 };
        let (changed, receipt) = self.change_import(caller, id, "legacy_import.extend", change).await?;
        if !changed {
            return Err(ApiFailure::Conflict(
                "the import is revoked or purged: nothing of it can be used again".into(),
            ));
        }
        Ok((self.find_workspace_import(caller, id).await?, receipt))
    }

    /// What revoking the import would reach.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn reach_of_import(&self, caller: &Caller, id: ImportId) -> Result<(Import, Reach), ApiFailure> {
        let import = self.find_workspace_import(caller, id).await?;
        let now = self.clock.now();
        let live = match import.state {
            ImportState::Open | ImportState::Complete => {
                self.store.count_live_imported(id, now.minus(RECENT), now).await?
            }
            ImportState::Revoked | ImportState::Purged => crate::store::legacy_report::LiveTokens::default(),
        };
        let reach = Reach { matched: live.count, used_last_7_days: live.used_recently, owners: live.owners };
        Ok((import, reach))
    }

    /// Revokes every token of the import: one row, whatever their number.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn revoke_import(&self, caller: &Caller, id: ImportId) -> Result<(Import, Receipt), ApiFailure> {
        self.find_workspace_import(caller, id).await?;
        let change = ImportChange::Revoke(id);
        let (_, receipt) = self.change_import(caller, id, "legacy_import.revoke", change).await?;
        Ok((self.find_workspace_import(caller, id).await?, receipt))
    }

    async fn change_import(
        &self,
        caller: &Caller,
        id: ImportId,
        action: &'static str,
        change: ImportChange,
    ) -> Result<(bool, Receipt), StoreError> {
        let by = caller.actor();
        let mut audit = self.audit_event(&caller.context, caller.workspace.id, by.clone(), action, id.to_string());
        if let ImportChange::Extend { deadline, .. } = &change {
            audit.detail = Some(serde_json::json!({ "deadline": deadline }).to_string());
        }
        let target = Target::Import(change);
        let revoke = Revoke { target, at: self.clock.now(), by, reason: None, audit };
        let (applied, receipt) = self.write_revocation(revoke).await?;
        Ok((applied.changed, receipt))
    }

    /// The policy of imported tokens: the one that is named, or the only one that imports may use.
    fn import_policy(&self, named: Option<&str>) -> Result<&Policy, String> {
        let may = |policy: &Policy| {
            policy.may_be_created_by(Creator::Import) && policy.rules.credential == Credential::Access
        };
        let candidates: Vec<&Policy> = self.policies.iter().map(AsRef::as_ref).filter(|policy| may(policy)).collect();
        let mut fitting = candidates.iter().filter(|policy| named.is_none_or(|name| *policy.name == *name));
        match (fitting.next(), fitting.next()) {
            (Some(policy), None) => Ok(policy),
            _ => {
                let names: Vec<&str> = candidates.iter().map(|policy| &*policy.name).collect();
                Err(format!("is one of the policies that imports may use: {}", names.join(", ")))
            }
        }
    }

    async fn fallback(
        &self,
        caller: &Caller,
        owner: &UnmappedOwner,
    ) -> Result<Result<Fallback, FieldError>, StoreError> {
        let named = match owner {
            UnmappedOwner::User(name) => NamedOwner::User(name.clone()),
            UnmappedOwner::Client(name) => NamedOwner::Client(name.clone()),
        };
        let found = self.store.find_owner(caller.workspace.id, named, caller.user.role).await?;
        Ok(match found {
            Ok(Owner::User(id)) => Ok(Fallback::User(id)),
            Ok(Owner::Client(key)) => Ok(Fallback::Client(key)),
            Err(crate::domain::legacy::Refusal::OwnerAbove) => {
                Err(FieldError::new("/unmapped_owner/id", "has a higher role than yours"))
            }
            Err(_) => Err(FieldError::new("/unmapped_owner/id", "is no user or client of the workspace")),
        })
    }

    fn seal_import_key(&self, key: &Secret<Vec<u8>>, id: ImportId) -> SealedKey {
        let keys = self.codec.keys().current();
        let bytes = keys.sealing().seal(key.expose_secret(), HMAC_KEY, id.as_bytes(), &self.entropy);
        SealedKey { bytes, key_version: keys.version() }
    }
}

fn separator(text: Option<&str>) -> Result<char, &'static str> {
    let mut chars = text.unwrap_or(".").chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if Recipe::may_separate(c) => Ok(c),
        _ => Err("is one of . _ - ~ + /"),
    }
}

fn hmac_key(request: &CreateImport) -> Result<Option<Secret<Vec<u8>>>, (&'static str, &'static str)> {
    let (key, pointer) = match (&request.hmac_key, &request.hmac_key_base64) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(("/hmac_key_base64", "can't be given beside hmac_key")),
        (Some(text), None) => (Some(text.expose_secret().as_bytes().to_vec()), "/hmac_key"),
        (None, Some(text)) => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(text.expose_secret());
            (decoded.ok(), "/hmac_key_base64")
        }
    };
    let fits = |key: &Vec<u8>| (1..=MAX_HMAC_KEY_BYTES).contains(&key.len());
    key.filter(fits).map(|key| Some(Secret::new(key))).ok_or((pointer, "is a key of 1 to 1024 bytes"))
}

fn scheme(name: &str, key: Option<&Secret<Vec<u8>>>) -> Result<&'static str, (&'static str, String)> {
    let Some(known) = Scheme::NAMES.into_iter().find(|known| *known == name) else {
        return Err(("/scheme", format!("is one of: {}", Scheme::NAMES.join(", "))));
    };
    match Scheme::from_parts(known, key.cloned()) {
        Some(_) => Ok(known),
        None if key.is_none() => Err(("/hmac_key", "is needed with scheme hmac-sha256".to_owned())),
        None => Err(("/hmac_key", "is of use with scheme hmac-sha256 only".to_owned())),
    }
}

/// The deadline lies ahead, and no further than the policy lets a token live.
fn deadline_error(policy: &Policy, deadline: Timestamp, now: Timestamp) -> Option<Detail> {
    let latest = match policy.rules.max_lifetime {
        End::After(lifetime) => Some(now.plus(lifetime.as_duration())),
        End::Never(_) => None,
    };
    let fits = deadline > now && latest.is_none_or(|latest| deadline <= latest);
    (!fits).then(|| match latest {
        Some(latest) => {
            let text = format!("lies after now and at {latest} at the latest (max_lifetime of policy {})", policy.name);
            Detail::new(Reason::DeadlineLater { latest: latest.to_string() }, text)
        }
        None => Detail::new(Reason::DeadlinePassed, "lies after now"),
    })
}

fn is_web_link(link: &str) -> bool {
    let plain = link.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && !b"<>\"".contains(&byte));
    plain
        && link.len() <= MAX_LINK_CHARS
        && url::Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

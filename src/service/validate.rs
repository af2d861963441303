//! Decides whether a presented token is good: the hot path.
//!
//! Parse and tag first, without I/O; then the cache, where this process has one; then one read of the store. A store
//! that can't answer is [`Outcome::Unavailable`], never a refusal.

use std::sync::Arc;

use futures_util::future::{BoxFuture, Either, Ready, ready};
use jeton_guard::{Inactive, Outcome, TokenView, Unavailable, Validator};

use super::Service;
use super::live_token::LiveToken;
use crate::cluster::cache::{Entry, Health};
use crate::cluster::lease::Trusted;
use crate::domain::catalog::Catalog;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Dead, Revision, TokenOf};
use crate::domain::legacy::ForeignToken;
use crate::domain::mutant::{self, Mutant};
use crate::domain::token_string::{PresentedToken, TokenKind};
use crate::store::StoreError;

/// A token that was presented, proven and alive.
#[derive(Clone, Debug)]
pub struct Validated {
    entry: Arc<Entry<LiveToken>>,
    /// The APIs and plans of its workspace; `None` for a token that names none, which looks nothing up.
    catalog: Option<Arc<Catalog>>,
    /// The log position as of which it was alive.
    pub as_of: Revision,
    pub now: Timestamp,
}

impl Validated {
    #[must_use]
    pub fn token(&self) -> &LiveToken {
        self.entry.value()
    }

    pub(super) fn catalog(&self) -> Option<&Catalog> {
        self.catalog.as_deref()
    }
}

impl TokenView for Validated {
    fn has_scope(&self, scope: &str) -> bool {
        self.token().scopes.contains(scope)
    }

    fn covers_api(&self, api: &str) -> bool {
        self.catalog().is_some_and(|catalog| catalog.covers(&self.token().grant, api))
    }

    fn api_takes_scope(&self, api: &str, scope: &str) -> bool {
        self.catalog().and_then(|catalog| catalog.api(api)).is_some_and(|api| api.takes_scope(scope))
    }

    fn workspace(&self) -> &str {
        &self.token().grant.workspace.name
    }
}

/// At most one note of use per token and minute.
const NOTE_USE_EVERY_MS: i64 = 60_000;

pub(super) type Validation = Outcome<Validated>;

/// A presented string that only the store can tell about.
enum Unknown {
    Own(PresentedToken),
    Foreign(ForeignToken),
}

impl Service {
    /// The state of any token that was made here, refresh tokens included. For endpoints where the token is the
    /// subject of the request, not its credential.
    pub fn examine(&self, text: &str) -> Either<Ready<Validation>, BoxFuture<'static, Validation>> {
        self.examine_at(text, Revision::ZERO)
    }

    /// As [`Service::examine`], as of `at_least` or newer.
    pub fn examine_at(
        &self,
        text: &str,
        at_least: Revision,
    ) -> Either<Ready<Validation>, BoxFuture<'static, Validation>> {
        match self.examine_in_memory(text, at_least) {
            Ok(decided) => Either::Left(ready(decided)),
            Err(unknown) => {
                let service = self.clone();
                Either::Right(Box::pin(async move { service.examine_in_store(unknown, at_least).await }))
            }
        }
    }

    /// As [`Validator::validate`], as of `at_least` or newer.
    pub fn validate_at(
        &self,
        text: &str,
        at_least: Revision,
    ) -> Either<Ready<Validation>, BoxFuture<'static, Validation>> {
        match self.examine_in_memory(text, at_least) {
            Ok(decided) => Either::Left(ready(self.accept(decided))),
            Err(unknown) => {
                let service = self.clone();
                Either::Right(Box::pin(async move {
                    let outcome = service.examine_in_store(unknown, at_least).await;
                    service.accept(outcome)
                }))
            }
        }
    }

    /// Decides without I/O if that is possible.
    fn examine_in_memory(&self, text: &str, at_least: Revision) -> Result<Validation, Unknown> {
        let Ok(presented) = self.codec.parse(text) else {
            return self.recall_foreign(text, at_least).map_err(Unknown::Foreign);
        };
        if presented.kind == TokenKind::ClientSecret {
            return Ok(Outcome::Inactive(Inactive::Unproven));
        }
        if presented.id.expires_at().is_some_and(|end| end <= self.clock.now()) {
            return Ok(Outcome::Inactive(Inactive::Expired));
        }
        let early = if mutant::is(Mutant::CacheBeforeLease) {
            self.cache.trusted_at(Revision::ZERO).and_then(|always| self.recall(&always, &presented, at_least))
        } else {
            None
        };
        mutant::falter();
        // In this order: an entry that is found after the lease was looked at reflects what the lease stands for.
        let Some(trusted) = self.cache.trusted(&self.clock) else {
            return Err(Unknown::Own(presented));
        };
        mutant::falter();
        early.or_else(|| self.recall(&trusted, &presented, at_least)).ok_or(Unknown::Own(presented))
    }

    /// What the cache says, if it knows the token as of `at_least` or newer.
    pub(super) fn recall(
        &self,
        trusted: &Trusted,
        presented: &PresentedToken,
        at_least: Revision,
    ) -> Option<Validation> {
        let cache = &self.cache;
        let as_of = cache.applied();
        if as_of < at_least {
            return None;
        }
        let (entry, health) = cache.find(trusted, &presented.id)?;
        let (token, now) = (entry.value(), self.clock.now());
        let inactive = if !token.is_proven_by(presented) {
            Inactive::Unproven
        } else if health == Health::Dead || token.is_replaced(now) {
            Inactive::Revoked
        } else if token.expires_at.is_some_and(|end| end <= now) {
            Inactive::Expired
        } else {
            let catalog =
                if token.is_associated() { Some(cache.find_catalog(trusted, token.grant.workspace.id)?) } else { None };
            return Some(Outcome::Active(Validated { entry, catalog, as_of, now }));
        };
        Some(Outcome::Inactive(inactive))
    }

    /// Leave to answer from memory: by the lease, or, in strict mode, by a read of the log's head that begins now.
    pub(super) async fn trusted_now(&self) -> Result<Option<Trusted>, StoreError> {
        let by_lease = self.cache.trusted(&self.clock);
        if by_lease.is_some() || !self.settings.strict {
            return Ok(by_lease);
        }
        Ok(self.cache.trusted_at(self.store.confirmed_head().await?))
    }

    /// What was read counts only if the server that it was read from was the primary for certain.
    pub(super) fn require_lease(&self) -> Result<(), StoreError> {
        if self.settings.reads_need_lease && !self.cache.lease_holds(&self.clock) {
            return Err(StoreError::LeaseOver);
        }
        Ok(())
    }

    /// What was read must be as new as the caller asks for; where nothing was found, `as_of` is the newest there is.
    pub(super) async fn require_revision(&self, as_of: Option<Revision>, at_least: Revision) -> Result<(), StoreError> {
        let as_of = match as_of {
            _ if at_least == Revision::ZERO => return Ok(()),
            Some(as_of) => as_of,
            None => self.store.confirmed_head().await?,
        };
        if as_of < at_least { Err(StoreError::Behind) } else { Ok(()) }
    }

    /// Whether everything up to `at_least` is known here, for a request that is served by a write.
    ///
    /// # Errors
    /// [`StoreError::Behind`], or the store's.
    pub async fn require_reached(&self, at_least: Revision) -> Result<(), StoreError> {
        if self.cache.applied() >= at_least { Ok(()) } else { self.require_revision(None, at_least).await }
    }

    async fn examine_in_store(&self, unknown: Unknown, at_least: Revision) -> Validation {
        let read = match unknown {
            Unknown::Own(presented) => self.read_token(presented, at_least).await,
            Unknown::Foreign(foreign) => self.read_foreign(foreign, at_least).await,
        };
        read.unwrap_or_else(|error| {
            tracing::warn!(error = ?error, "a token could not be validated");
            Outcome::Unavailable(unavailable(&error))
        })
    }

    async fn read_token(&self, presented: PresentedToken, at_least: Revision) -> Result<Validation, StoreError> {
        self.require_lease()?;
        if self.settings.strict
            && let Some(trusted) = self.trusted_now().await?
            && let Some(decided) = self.recall(&trusted, &presented, at_least)
        {
            self.require_lease()?;
            return Ok(decided);
        }
        let fill = self.cache.begin_fill();
        let stored = self.store.find_token(presented.id).await?;
        self.require_lease()?;
        self.require_revision(stored.as_ref().map(|stored| stored.as_of), at_least).await?;
        let Some(stored) = stored.filter(|stored| stored.is_proven_by(&presented)) else {
            return Ok(Outcome::Inactive(Inactive::Unproven));
        };
        let (now, as_of) = (self.clock.now(), stored.as_of);
        let token = TokenOf { kind: stored.kind, generation: stored.generation };
        let grant = match stored.grant.clone().live_for(token, now) {
            Ok(grant) => grant,
            Err(Dead::Expired) => return Ok(Outcome::Inactive(Inactive::Expired)),
            Err(Dead::Disabled) => return Ok(Outcome::Inactive(Inactive::Disabled)),
            Err(Dead::Revoked) => return Ok(Outcome::Inactive(Inactive::Revoked)),
        };
        // The first use of a refreshed token ends the time in which the refresh may be repeated, however short ago
        // the grant was used before.
        let noted = if stored.generation > 0 { i64::MIN } else { grant.last_used_at.map_or(0, Timestamp::ms) };
        let (id, live) = (stored.id, LiveToken::new(stored, grant, self));
        let entry = self.cache.fill(fill, id, live, noted);
        self.with_catalog(entry, as_of, now).await
    }

    /// Adds the APIs and plans that a token names.
    pub(super) async fn with_catalog(
        &self,
        entry: Arc<Entry<LiveToken>>,
        as_of: Revision,
        now: Timestamp,
    ) -> Result<Validation, StoreError> {
        let catalog = match entry.value() {
            // Not older than the token: the answer is vouched for as of one revision.
            token if token.is_associated() => Some(self.catalog_at(token.grant.workspace.id, as_of).await?),
            _ => None,
        };
        Ok(Outcome::Active(Validated { entry, catalog, as_of, now }))
    }

    /// Remembers that the token was used.
    pub(super) fn note_use(&self, validated: &Validated) {
        validated.token().count_validation();
        if validated.entry.note_use(validated.now.ms(), NOTE_USE_EVERY_MS) {
            let token = validated.token();
            self.usage.note(token.grant.id, validated.now, token.generation);
        }
    }

    fn accept(&self, outcome: Validation) -> Validation {
        match outcome {
            // A refresh token is for the token endpoint only.
            Outcome::Active(validated) if validated.token().kind == TokenKind::Refresh => {
                Outcome::Inactive(Inactive::Unproven)
            }
            Outcome::Active(validated) => {
                self.note_use(&validated);
                Outcome::Active(validated)
            }
            other => other,
        }
    }
}

/// The store's failure as the guard tells it.
#[must_use]
pub fn unavailable(error: &StoreError) -> Unavailable {
    Unavailable { retry_after_s: u32::try_from(error.retry_after().as_secs()).unwrap_or(u32::MAX) }
}

/// Accepts access tokens and keys as the credential of a request.
impl Validator for Service {
    type Token = Validated;
    type Future = Either<Ready<Validation>, BoxFuture<'static, Validation>>;

    fn validate(&self, token: &str) -> Self::Future {
        self.validate_at(token, Revision::ZERO)
    }
}

/// Accepts what [`Service`] accepts, as of a revision or newer.
#[derive(Clone, Debug)]
pub struct AtLeast(pub Service, pub Revision);

impl Validator for AtLeast {
    type Token = Validated;
    type Future = Either<Ready<Validation>, BoxFuture<'static, Validation>>;

    fn validate(&self, token: &str) -> Self::Future {
        self.0.validate_at(token, self.1)
    }
}

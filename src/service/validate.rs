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
use crate::domain::catalog::Catalog;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Dead, Revision, TokenOf};
use crate::domain::legacy::ForeignToken;
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
        match self.examine_in_memory(text) {
            Ok(decided) => Either::Left(ready(decided)),
            Err(unknown) => {
                let service = self.clone();
                Either::Right(Box::pin(async move { service.examine_in_store(unknown).await }))
            }
        }
    }

    /// Decides without I/O if that is possible.
    fn examine_in_memory(&self, text: &str) -> Result<Validation, Unknown> {
        let Ok(presented) = self.codec.parse(text) else {
            return self.recall_foreign(text).map_err(Unknown::Foreign);
        };
        if presented.kind == TokenKind::ClientSecret {
            return Ok(Outcome::Inactive(Inactive::Unproven));
        }
        if presented.id.expires_at().is_some_and(|end| end <= self.clock.now()) {
            return Ok(Outcome::Inactive(Inactive::Expired));
        }
        self.recall(&presented).ok_or(Unknown::Own(presented))
    }

    /// What the cache says, if it knows the token.
    pub(super) fn recall(&self, presented: &PresentedToken) -> Option<Validation> {
        let cache = self.cache.as_ref()?;
        let as_of = cache.applied();
        let (entry, health) = cache.find(&presented.id)?;
        let (token, now) = (entry.value(), self.clock.now());
        let inactive = if !token.is_proven_by(presented) {
            Inactive::Unproven
        } else if health == Health::Dead || token.is_replaced(now) {
            Inactive::Revoked
        } else if token.expires_at.is_some_and(|end| end <= now) {
            Inactive::Expired
        } else {
            let catalog =
                if token.is_associated() { Some(cache.find_catalog(token.grant.workspace.id)?) } else { None };
            return Some(Outcome::Active(Validated { entry, catalog, as_of, now }));
        };
        Some(Outcome::Inactive(inactive))
    }

    async fn examine_in_store(&self, unknown: Unknown) -> Validation {
        let read = match unknown {
            Unknown::Own(presented) => self.read_token(presented).await,
            Unknown::Foreign(foreign) => self.read_foreign(foreign).await,
        };
        read.unwrap_or_else(|error| {
            tracing::warn!(error = ?error, "a token could not be validated");
            Outcome::Unavailable(unavailable(&error))
        })
    }

    async fn read_token(&self, presented: PresentedToken) -> Result<Validation, StoreError> {
        let fill = self.cache.as_ref().map(|cache| cache.begin_fill());
        let stored = self.store.find_token(presented.id).await?;
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
        let (id, live) = (stored.id, LiveToken::new(stored, grant, &self.settings));
        let entry = match (&self.cache, fill) {
            (Some(cache), Some(fill)) => cache.fill(fill, id, live, noted),
            _ => Entry::detached(live, noted),
        };
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
            token if token.is_associated() => Some(self.catalog(token.grant.workspace.id).await?),
            _ => None,
        };
        Ok(Outcome::Active(Validated { entry, catalog, as_of, now }))
    }

    /// Remembers that the token was used.
    pub(super) fn note_use(&self, validated: &Validated) {
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
        match self.examine_in_memory(token) {
            Ok(decided) => Either::Left(ready(self.accept(decided))),
            Err(unknown) => {
                let service = self.clone();
                Either::Right(Box::pin(async move {
                    let outcome = service.examine_in_store(unknown).await;
                    service.accept(outcome)
                }))
            }
        }
    }
}

//! A token that was alive when it was read, with the answers about it prepared.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::legacy::Notice;
use super::{Service, Settings};
use crate::cluster::cache::Cacheable;
use crate::cluster::tally::Tally;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Live, Owner, Superseded};
use crate::domain::ids::TokenId;
use crate::domain::keys::KeyVersion;
use crate::domain::scope::Scopes;
use crate::domain::secret::Digest;
use crate::domain::token_string::{PresentedToken, TokenKind};
use crate::store::lookup::StoredToken;

/// A live token. Its answers leave out what changes from second to second.
#[derive(Debug)]
pub struct LiveToken {
    pub id: TokenId,
    pub kind: TokenKind,
    pub scopes: Scopes,
    pub scope: String,
    pub subject: String,
    pub generation: i64,
    pub issued_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// A newer token has taken its place; until when it is accepted.
    superseded: Option<Superseded>,
    pub grant: Live<Grant>,
    digest: Digest,
    key_version: KeyVersion,
    /// What to tell whoever uses a token of an older system.
    pub notice: Option<Box<Notice>>,
    /// The validations of its workspace.
    validations: Arc<Tally>,
    /// RFC 7662 §2.2, without its closing brace and without `expires_in`, `cache_max_age` and `revision`; without `aud`,
    /// `apis` and `plans` where they depend on the workspace's.
    introspection: Box<[u8]>,
}

impl LiveToken {
    pub(super) fn new(stored: StoredToken, grant: Live<Grant>, service: &Service) -> Self {
        let validations = service.figures.validations(grant.workspace.id);
        // An imported token ends with its import, whose deadline may be moved: no end stands in its id.
        let superseded = grant.superseded(stored.generation);
        let own_end = stored.id.expires_at().or(grant.expires_at);
        // One that a newer token has replaced ends with the overlap. No revocation tells of that end.
        let overlap_end = superseded.and_then(|superseded| superseded.until);
        let expires_at = own_end.into_iter().chain(overlap_end).min();
        let mut token = Self {
            id: stored.id,
            kind: stored.kind,
            scope: stored.scopes.to_string(),
            scopes: stored.scopes,
            subject: grant.subject(),
            generation: stored.generation,
            issued_at: stored.issued_at,
            expires_at,
            superseded,
            grant,
            digest: stored.digest,
            key_version: stored.key_version,
            notice: None,
            validations,
            introspection: Box::default(),
        };
        token.introspection = token.prepare_introspection(&service.settings);
        token
    }

    pub(super) fn with_notice(self, notice: Notice) -> Self {
        Self { notice: Some(Box::new(notice)), ..self }
    }

    /// Whether `presented` is this very secret. Constant time.
    #[must_use]
    pub fn is_proven_by(&self, presented: &PresentedToken) -> bool {
        self.key_version == presented.key_version && self.digest.matches(&presented.digest)
    }

    pub(super) fn count_validation(&self) {
        self.validations.add();
    }

    /// Whether a newer token has taken its place for good. It was not so when it was read, but time goes on.
    #[must_use]
    pub fn is_replaced(&self, now: Timestamp) -> bool {
        self.superseded.is_some_and(|superseded| !superseded.accepted_at(now))
    }

    /// Whether it names APIs or plans: then what it covers depends on those of its workspace.
    #[must_use]
    pub fn is_associated(&self) -> bool {
        !self.grant.apis.is_empty() || !self.grant.plans.is_empty()
    }

    /// Seconds that are left, `None` without an end.
    #[must_use]
    pub fn expires_in(&self, now: Timestamp) -> Option<i64> {
        self.expires_at.map(|end| end.seconds_left(now))
    }

    /// The introspection answer at `now`, as JSON without its closing brace. APIs and plans of a token that names any
    /// are for the caller to add.
    #[must_use]
    pub fn introspection(&self, now: Timestamp, cache_max_age: u32, revision: i64) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.introspection.len() + 96);
        body.extend_from_slice(&self.introspection);
        let mut number = itoa::Buffer::new();
        if let Some(left) = self.expires_in(now) {
            body.extend_from_slice(b",\"expires_in\":");
            body.extend_from_slice(number.format(left).as_bytes());
        }
        let cache_for = self
            .expires_in(now)
            .map_or(cache_max_age, |left| u32::try_from(left).unwrap_or(u32::MAX).min(cache_max_age));
        body.extend_from_slice(b",\"cache_max_age\":");
        body.extend_from_slice(number.format(cache_for).as_bytes());
        body.extend_from_slice(b",\"revision\":");
        body.extend_from_slice(number.format(revision).as_bytes());
        body
    }

    fn prepare_introspection(&self, settings: &Settings) -> Box<[u8]> {
        let grant = &self.grant;
        let mut fields = Map::new();
        let mut put = |name: &str, value: Value| {
            fields.insert(name.to_owned(), value);
        };
        put("active", json!(true));
        put("scope", json!(self.scope));
        if let Some(client) = &grant.client {
            put("client_id", json!(client.client_id));
        }
        if let Owner::User { name, .. } = &grant.owner {
            put("username", json!(name));
        }
        // A refresh token is no Bearer token: whoever asks about one must not take it for an access token.
        if self.kind != TokenKind::Refresh {
            put("token_type", json!("Bearer"));
        }
        if let Some(end) = self.expires_at {
            put("exp", json!(end.seconds()));
        }
        put("iat", json!(self.issued_at.seconds()));
        put("nbf", json!(self.issued_at.seconds()));
        put("sub", json!(self.subject));
        if grant.session.anonymous {
            put("authenticated", json!(false));
        }
        put("iss", json!(settings.issuer));
        put("jti", json!(self.id));
        put("workspace", json!(&*grant.workspace.name));
        put("name", json!(grant.name));
        put("policy", json!(grant.policy));
        if !self.is_associated() {
            put("apis", json!([]));
            put("plans", json!([]));
        }
        put("extra_fields", json!(grant.extra_fields));
        let mut body = Value::Object(fields).to_string().into_bytes();
        body.pop();
        body.into()
    }
}

impl Cacheable for LiveToken {
    fn grant(&self) -> &Grant {
        &self.grant
    }

    fn bytes(&self) -> usize {
        let grant = &*self.grant;
        // A JSON object in memory is several times its text.
        let extra: usize =
            grant.extra_fields.iter().map(|(key, value)| key.len() + value.to_string().len() + 150).sum();
        let texts = extra + self.scope.len() * 2 + self.subject.len() + grant.policy.len() + self.introspection.len();
        let names: usize = grant.apis.iter().chain(&grant.plans).map(|name| name.len() + size_of::<String>()).sum();
        // The texts of names and extra fields stand in the introspection answer too, so that counts them.
        size_of::<Self>() + texts + names + self.introspection.len()
    }
}

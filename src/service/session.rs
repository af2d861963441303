//! `GET` and `DELETE /oauth20/access-token`: the session behind a token, and the access token that a key opens.

use std::sync::Arc;

use jeton_guard::{Outcome, Validator as _};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::issue::Opening;
use super::validate::Validated;
use super::{RequestContext, Service, audit};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Dead, Grant, Origin, Status};
use crate::domain::ids::GrantId;
use crate::domain::policy::Policy;
use crate::domain::secret::Secret;
use crate::domain::token_string::{MintedToken, TokenKind};
use crate::store::StoreError;
use crate::store::key_session::{KeySession, OpenSession, Opened};
use crate::store::token::NewToken;

/// The session as the wire shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView<'a> {
    pub session_id: GrantId,
    pub user_id: Option<String>,
    pub client_id: Option<&'a str>,
    pub workspace: &'a str,
    pub authenticated: bool,
    pub external_reference_id: Option<&'a str>,
    pub session_tag: Option<&'a str>,
    pub locale: Option<&'a str>,
    pub client_ip_address: Option<&'a str>,
    pub domain: Option<&'a str>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub expires_in: Option<i64>,
    pub name: Option<&'a str>,
    pub policy: &'a str,
    pub status: Status,
    pub apis: &'a [String],
    pub plans: &'a [String],
    #[schema(value_type = Object)]
    pub extra_fields: &'a Map<String, Value>,
}

impl<'a> SessionView<'a> {
    #[must_use]
    pub fn of(grant: &'a Grant, now: Timestamp) -> Self {
        let status = grant.status(now);
        let left = grant.expires_at.map(|end| end.seconds_left(now));
        Self {
            session_id: grant.id,
            user_id: grant.owner.user_id().map(|id| id.to_string()),
            client_id: grant.client.as_ref().map(|client| client.client_id.as_str()),
            workspace: &grant.workspace.name,
            authenticated: !grant.session.anonymous,
            external_reference_id: grant.session.references.external_reference_id.as_deref(),
            session_tag: grant.session.references.session_tag.as_deref(),
            locale: grant.session.locale.as_deref(),
            client_ip_address: grant.session.client_ip_address.as_deref(),
            domain: grant.session.domain.as_deref(),
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            expires_in: if status == Status::Active { left } else { Some(0) },
            name: grant.name.as_deref(),
            policy: &grant.policy,
            status,
            apis: &grant.apis,
            plans: &grant.plans,
            extra_fields: &grant.extra_fields,
        }
    }
}

/// The access token that a key has opened.
#[derive(Debug)]
pub struct KeyAccess {
    pub access_token: Secret<String>,
    pub validated: Validated,
}

/// Why a key gives no access token.
#[derive(Debug)]
pub enum KeyRefusal {
    /// The key died while the request was under way.
    Dead(Dead),
    /// Its policy mints nothing.
    MintsNothing,
    Store(StoreError),
}

impl From<StoreError> for KeyRefusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A minted token is replaced when less than a tenth of its life is left, at most five minutes.
const NEAR_END_MS: i64 = 300_000;

impl Service {
    /// The policy of sessions; the configuration was checked to have it.
    pub(super) fn session_policy(&self) -> &Policy {
        self.policies.find(&self.settings.session_policy).expect("the configuration is checked at start")
    }

    /// The access token of the key's session: the same one until it is near its end.
    ///
    /// # Errors
    /// [`KeyRefusal`].
    pub async fn access_token_of_key(
        &self,
        key: &Validated,
        presented: &str,
        context: &RequestContext,
    ) -> Result<KeyAccess, KeyRefusal> {
        let grant = &key.token().grant;
        let Some(policy) = self.minting_policy(grant).await? else {
            return Err(KeyRefusal::MintsNothing);
        };
        let now = self.clock.now();
        let not_ending_before = self.near_end(&policy, now);
        let session = match self.store.find_key_session(key.token().id, not_ending_before).await? {
            Some(session) => session,
            None => self.open_key_session(key, presented, &policy, not_ending_before, context).await?,
        };
        let Some(token) = self.derive_from_key(presented, &session) else {
            // The master key that it was derived under is gone: open a new one.
            let session = self.open_key_session(key, presented, &policy, session.expires_at, context).await?;
            let token = self.derive_from_key(presented, &session).ok_or(StoreError::Corrupt("key session"))?;
            return self.validate_minted(token).await;
        };
        self.validate_minted(token).await
    }

    async fn validate_minted(&self, token: MintedToken) -> Result<KeyAccess, KeyRefusal> {
        match self.validate(token.string.expose_secret()).await {
            Outcome::Active(validated) => Ok(KeyAccess { access_token: token.string, validated }),
            Outcome::Inactive(_) => Err(KeyRefusal::Dead(Dead::Revoked)),
            Outcome::Unavailable(_) => Err(KeyRefusal::Store(StoreError::Unavailable(None))),
        }
    }

    async fn minting_policy(&self, key: &Grant) -> Result<Option<Arc<Policy>>, StoreError> {
        let own = self.policy_of(key).await?;
        Ok(own.and_then(|own| self.policies.find(&own.rules.mints).cloned()))
    }

    fn near_end(&self, policy: &Policy, now: Timestamp) -> Timestamp {
        let life = policy.access_end(None, now).map_or(0, |end| end.ms() - now.ms());
        Timestamp::from_ms(now.ms() + (life / 10).min(NEAR_END_MS))
    }

    fn derive_from_key(&self, presented: &str, session: &KeySession) -> Option<MintedToken> {
        let keys = self.codec.keys().find(session.key_version)?;
        let material = keys.derived(presented.as_bytes(), &session.nonce, b"key-session/access");
        Some(self.codec.derive(keys, TokenKind::Access, Some(session.expires_at), &material))
    }

    async fn open_key_session(
        &self,
        key: &Validated,
        presented: &str,
        policy: &Policy,
        not_ending_before: Timestamp,
        context: &RequestContext,
    ) -> Result<KeySession, KeyRefusal> {
        let (owner, now) = (&key.token().grant, self.clock.now());
        let end = policy.access_end(owner.expires_at, now).ok_or(KeyRefusal::MintsNothing)?;
        let session = KeySession {
            grant: GrantId::generate(Some(end), &self.entropy),
            nonce: self.entropy.secret(),
            key_version: self.codec.keys().current().version(),
            issued_at: now,
            expires_at: end,
        };
        let token = self.derive_from_key(presented, &session).ok_or(StoreError::Corrupt("key ring"))?;
        let opening = Opening {
            policy,
            workspace: &owner.workspace,
            origin: Origin::Oauth,
            name: owner.name.clone(),
            user: owner.owner.user_id(),
            client: owner.client.as_ref().map(|client| client.key),
            scopes: owner.scopes.clone(),
            apis: owner.apis.clone(),
            plans: owner.plans.clone(),
            extra_fields: owner.extra_fields.clone(),
            session: context.session_details(),
            as_of: key.as_of,
        };
        let mut grant = opening.into_row(session.grant, Some(end), now);
        grant.parent = Some(owner.id);
        let actor = audit::actor(&owner.owner);
        let open = OpenSession {
            key_grant: owner.id,
            key: key.token().id,
            now,
            not_ending_before,
            session,
            token: NewToken { generation: key.token().generation, ..NewToken::of(&token, session.grant, now) },
            grant,
            audit: self.audit_event(context, owner.workspace.id, actor, "session.open", session.grant.to_string()),
        };
        match self.store.open_key_session(open).await? {
            Opened::Session(session) => Ok(session),
            Opened::Dead(dead) => Err(KeyRefusal::Dead(dead)),
        }
    }
}

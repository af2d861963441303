//! `grant_type=refresh_token` (RFC 6749 §6): a new pair for the current refresh token, the same pair for a repeat of
//! the call, and the end of the grant for a replay (RFC 9700 §4.14).

use super::{RefreshAnswer, TokenAnswer};
use crate::domain::clock::Timestamp;
use crate::domain::family::Rotation;
use crate::domain::grant::{Dead, Grant, TokenOf};
use crate::domain::keys::Keys;
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::domain::token_string::{MintedToken, TokenKind};
use crate::service::client_auth::AuthenticatedClient;
use crate::service::error::{OAuthCode, OAuthFailure, refused};
use crate::service::{RequestContext, Service};
use crate::store::lookup::StoredToken;
use crate::store::revoke::{Revoke, Target};
use crate::store::rotate::{Rotate, Rotated};
use crate::store::token::NewToken;

/// The successor of a refresh token: a function of that token, the nonce and the server's key.
struct Successor {
    access: MintedToken,
    refresh: MintedToken,
}

impl Service {
    pub(super) async fn refresh(
        &self,
        client: &AuthenticatedClient,
        presented: &Secret<String>,
        scope: Option<Scopes>,
        context: &RequestContext,
    ) -> Result<TokenAnswer, OAuthFailure> {
        let stored = self.find_refresh_token(client, presented).await?;
        let grant = &stored.grant;
        let scopes = scope.unwrap_or_else(|| grant.scopes.clone());
        if !grant.scopes.covers(&scopes) {
            return refused(OAuthCode::InvalidScope, "a refresh can narrow the scope, not widen it");
        }
        let now = self.clock.now();
        let Some(policy) = self.policy_of(grant).await? else {
            tracing::warn!(policy = %grant.policy, "a grant's policy is not configured any more");
            return refused(OAuthCode::InvalidGrant, "the policy of this token is not in force any more");
        };
        let Some(access_expires_at) = policy.access_end(grant.expires_at, now) else {
            return refused(OAuthCode::InvalidGrant, "the policy of this token does not allow a refresh any more");
        };
        let rotation = Rotation {
            from: stored.id,
            nonce: self.entropy.secret(),
            key_version: self.codec.keys().current().version(),
            at: now,
            access_expires_at,
            access_scopes: scopes,
            successor_used: false,
        };
        let successor = self.derive_successor(self.codec.keys().current(), presented, &rotation, grant);
        let rotate = self.rotation_write(&stored, client, &rotation, &successor, context);
        match self.store.rotate(rotate).await? {
            Rotated::Fresh => {
                self.note_issued(grant.workspace.id);
                Ok(answer(successor, &rotation, grant.expires_at))
            }
            Rotated::Retry(earlier) => match self.codec.keys().find(earlier.key_version) {
                Some(keys) => {
                    let successor = self.derive_successor(keys, presented, &earlier, grant);
                    Ok(answer(successor, &earlier, grant.expires_at))
                }
                None => refused(OAuthCode::InvalidGrant, "the refresh token was used before"),
            },
            Rotated::Replay(applied) => {
                tracing::warn!(grant.id = %grant.id, revision = applied.revision.value(), "refresh token replay: the grant is revoked");
                refused(OAuthCode::InvalidGrant, "the refresh token was used before; the grant is revoked")
            }
            Rotated::Dead(Dead::Expired) => refused(OAuthCode::InvalidGrant, "the refresh token has expired"),
            Rotated::Dead(Dead::Disabled) => refused(OAuthCode::InvalidGrant, "the grant is disabled"),
            Rotated::Dead(Dead::Revoked) => refused(OAuthCode::InvalidGrant, "the grant is revoked"),
            Rotated::Gone => refused(OAuthCode::InvalidGrant, UNKNOWN),
        }
    }

    async fn find_refresh_token(
        &self,
        client: &AuthenticatedClient,
        presented: &Secret<String>,
    ) -> Result<StoredToken, OAuthFailure> {
        let unknown = || refused(OAuthCode::InvalidGrant, UNKNOWN);
        let Ok(token) = self.codec.parse(presented.expose_secret()) else {
            return unknown();
        };
        if token.kind != TokenKind::Refresh {
            return unknown();
        }
        if token.id.expires_at().is_some_and(|end| end <= self.clock.now()) {
            return refused(OAuthCode::InvalidGrant, "the refresh token has expired");
        }
        let stored = self.store.find_token(token.id).await?;
        let Some(stored) = stored.filter(|stored| stored.is_proven_by(&token)) else {
            return unknown();
        };
        // Bound to the client that it was issued to (RFC 6749 §6). Nothing is revoked: the right client still has it.
        if stored.grant.client.as_ref().is_none_or(|bound| bound.key != client.key) {
            return refused(OAuthCode::InvalidGrant, "the refresh token was issued to another client");
        }
        Ok(stored)
    }

    fn derive_successor(
        &self,
        keys: &Keys,
        presented: &Secret<String>,
        rotation: &Rotation,
        grant: &Grant,
    ) -> Successor {
        let make = |kind, end, purpose| {
            let material = keys.derived(presented.expose_secret().as_bytes(), &rotation.nonce, purpose);
            self.codec.derive(keys, kind, end, &material)
        };
        Successor {
            access: make(TokenKind::Access, Some(rotation.access_expires_at), b"rotation/access"),
            refresh: make(TokenKind::Refresh, grant.expires_at, b"rotation/refresh"),
        }
    }

    fn rotation_write(
        &self,
        stored: &StoredToken,
        client: &AuthenticatedClient,
        rotation: &Rotation,
        successor: &Successor,
        context: &RequestContext,
    ) -> Rotate {
        let (grant, now) = (&stored.grant, rotation.at);
        let alive = grant.clone().live_for(TokenOf { kind: stored.kind, generation: stored.generation }, now).is_ok();
        let actor = format!("client:{}", client.client_id);
        let event = |action| self.audit_event(context, grant.workspace.id, actor.clone(), action, grant.id.to_string());
        let generation = stored.generation + 1;
        let row = |token, scopes| NewToken { generation, scopes, ..NewToken::of(token, grant.id, now) };
        Rotate {
            grant: grant.id,
            alive_as: alive.then_some(grant.version),
            presented: stored.id,
            now,
            window: self.settings.rotation_window,
            successor_seen: self.usage.seen_generation(grant.id),
            access: row(&successor.access, Some(rotation.access_scopes.clone())),
            refresh: row(&successor.refresh, None),
            rotation: rotation.clone(),
            audit: event("token.refresh"),
            replay: Revoke {
                target: Target::Grant(grant.id),
                at: now,
                by: actor.clone(),
                reason: Some("refresh token replay".to_owned()),
                audit: event("token.replay"),
            },
        }
    }
}

const UNKNOWN: &str = "the refresh token is not known";

/// Equal for every call that gets this rotation: lifetimes count from the rotation, not from the call.
fn answer(successor: Successor, rotation: &Rotation, grant_end: Option<Timestamp>) -> TokenAnswer {
    TokenAnswer {
        access_token: successor.access.string,
        expires_in: rotation.access_expires_at.seconds_left(rotation.at),
        scope: rotation.access_scopes.clone(),
        issued_token_type: None,
        refresh: Some(RefreshAnswer {
            refresh_token: successor.refresh.string,
            expires_in: grant_end.map(|end| end.seconds_left(rotation.at)),
        }),
    }
}

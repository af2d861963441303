//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): raises an anonymous session to a user's.
//!
//! The subject is the user, by a token or key of theirs; the actor is the session, by its access token. The session keeps
//! its id. All its older tokens stop, so that who knew them before the user signed in knows nothing of what follows.

use jeton_guard::{Outcome, Validator as _};

use super::{RefreshAnswer, TokenAnswer};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, SessionReferences, TokenOf};
use crate::domain::ids::UserId;
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::domain::token_string::TokenKind;
use crate::service::client_auth::AuthenticatedClient;
use crate::service::error::{OAuthCode, OAuthFailure, refused};
use crate::service::validate::Validated;
use crate::service::{RequestContext, Service};
use crate::store::StoreError;
use crate::store::raise::{Raise, Raised};
use crate::store::token::NewToken;

/// The parameters of RFC 8693 §2.1, as they were sent.
#[derive(Debug, Default)]
pub struct Exchange {
    pub subject_token: Option<Secret<String>>,
    pub subject_token_type: Option<String>,
    pub actor_token: Option<Secret<String>>,
    pub actor_token_type: Option<String>,
    pub requested_token_type: Option<String>,
    pub audience: Vec<String>,
}

/// RFC 8693 §3: the one type of token that is taken and given. Keys go by it too: they are taken wherever access tokens are.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Service {
    pub(super) async fn exchange(
        &self,
        client: &AuthenticatedClient,
        request: Exchange,
        scope: Option<Scopes>,
        references: SessionReferences,
        context: &RequestContext,
    ) -> Result<TokenAnswer, OAuthFailure> {
        let (subject, actor) = read(request)?;
        let (subject, user) = self.subject(client, subject.expose_secret()).await?;
        let actor = self.anonymous_session(client, actor.expose_secret()).await?;
        let scopes = grantable(client, &subject, scope)?;
        let (session, now) = (&actor.token().grant, self.clock.now());
        let Some(policy) = self.policy_of(session).await? else {
            return refused(OAuthCode::InvalidRequest, "the policy of the session is not in force any more");
        };
        let end = earlier(session.expires_at, end_of(client, &subject));
        let access_end = policy.access_end(end, now);
        let access = self.codec.mint(TokenKind::Access, access_end, &self.entropy);
        let refresh = self.codec.mint(TokenKind::Refresh, end, &self.entropy);
        let by = format!("client:{}", client.client_id);
        let audit =
            self.audit_event(context, session.workspace.id, by.clone(), "session.raise", session.id.to_string());
        let raise = Raise {
            grant: session.id,
            actor: TokenOf { kind: TokenKind::Access, generation: actor.token().generation },
            user,
            scopes: scopes.clone(),
            references,
            expires_at: end,
            // What has ended either of them since has a higher number, and ends the session.
            revision: subject.as_of.min(client.as_of()),
            now,
            access: NewToken::of(&access, session.id, now),
            refresh: NewToken::of(&refresh, session.id, now),
            by,
            audit: audit.with_detail(&serde_json::json!({ "user": user })),
        };
        let (raised, _) = self.in_force(self.store.raise(raise)).await?;
        match raised {
            Raised::Done { refreshable } => Ok(TokenAnswer {
                access_token: access.string,
                expires_in: access_end.map_or(i64::MAX, |end| end.seconds_left(now)),
                scope: scopes,
                issued_token_type: Some(ACCESS_TOKEN),
                refresh: refreshable.then(|| RefreshAnswer {
                    refresh_token: refresh.string,
                    expires_in: end.map(|end| end.seconds_left(now)),
                }),
            }),
            Raised::NotAnonymous | Raised::Dead => refused(OAuthCode::InvalidRequest, NO_SESSION),
        }
    }

    /// The user's credential. RFC 8693 §2.2.2: one that is not valid is an invalid request.
    async fn subject(&self, client: &AuthenticatedClient, token: &str) -> Result<(Validated, UserId), OAuthFailure> {
        let validated = match self.validate(token).await {
            Outcome::Active(validated) => validated,
            Outcome::Inactive(_) => return refused(OAuthCode::InvalidRequest, NO_SUBJECT),
            Outcome::Unavailable(_) => return Err(StoreError::Unavailable(None).into()),
        };
        let grant = &validated.token().grant;
        match grant.owner.user_id().filter(|_| grant.workspace.id == client.workspace.id) {
            Some(user) => Ok((validated, user)),
            None => refused(OAuthCode::InvalidRequest, NO_SUBJECT),
        }
    }

    /// The session that is raised: an anonymous one of this very client.
    async fn anonymous_session(&self, client: &AuthenticatedClient, token: &str) -> Result<Validated, OAuthFailure> {
        let own =
            |grant: &Grant| grant.session.anonymous && grant.client.as_ref().is_some_and(|own| own.key == client.key);
        match self.examine(token).await {
            Outcome::Active(validated)
                if validated.token().kind == TokenKind::Access && own(&validated.token().grant) =>
            {
                Ok(validated)
            }
            Outcome::Active(_) | Outcome::Inactive(_) => refused(OAuthCode::InvalidRequest, NO_SESSION),
            Outcome::Unavailable(_) => Err(StoreError::Unavailable(None).into()),
        }
    }
}

const NO_SUBJECT: &str = "the subject_token is no valid token of a user of this workspace";
const NO_SESSION: &str = "the actor_token is no valid access token of an anonymous session of this client";

/// The two tokens, where everything around them is as RFC 8693 §2.1 demands.
fn read(request: Exchange) -> Result<(Secret<String>, Secret<String>), OAuthFailure> {
    let missing = |what| refused(OAuthCode::InvalidRequest, what);
    let access_token = |given: &Option<String>| given.as_deref() == Some(ACCESS_TOKEN);
    let Some(subject) = request.subject_token else {
        return missing("subject_token is missing");
    };
    if !access_token(&request.subject_token_type) {
        return missing("subject_token_type is missing, or not that of an access token");
    }
    let Some(actor) = request.actor_token else {
        return missing(if request.actor_token_type.is_some() {
            "actor_token_type without actor_token"
        } else {
            "actor_token is missing: the exchange that is offered raises an anonymous session, which its token names"
        });
    };
    if !access_token(&request.actor_token_type) {
        return missing("actor_token_type is missing, or not that of an access token");
    }
    if request.requested_token_type.is_some() && !access_token(&request.requested_token_type) {
        return missing("requested_token_type: only access tokens are issued");
    }
    if !request.audience.is_empty() {
        return refused(OAuthCode::InvalidTarget, "no service of this name is registered");
    }
    Ok((subject, actor))
}

/// What is asked for, or all that both allow. A token without scopes speaks for its user without limit.
fn grantable(client: &AuthenticatedClient, subject: &Validated, asked: Option<Scopes>) -> Result<Scopes, OAuthFailure> {
    let held = &subject.token().scopes;
    let limit = if held.is_empty() { client.scopes.clone() } else { client.scopes.intersection(held) };
    match asked {
        Some(asked) if !limit.covers(&asked) => {
            refused(OAuthCode::InvalidScope, "the scope goes beyond that of the client or of the subject_token")
        }
        asked => Ok(asked.unwrap_or(limit)),
    }
}

/// The session does not outlive what it comes from: the grant of the user where this client holds it, else the token
/// that it was shown.
fn end_of(client: &AuthenticatedClient, subject: &Validated) -> Option<Timestamp> {
    let (token, grant) = (subject.token(), &subject.token().grant);
    let own = grant.client.as_ref().is_some_and(|own| own.key == client.key);
    if own { grant.expires_at } else { token.expires_at }
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

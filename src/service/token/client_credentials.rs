//! `grant_type=client_credentials` (RFC 6749 §4.4): the client acts for itself.

use super::TokenAnswer;
use crate::domain::grant::{Origin, SessionDetails, SessionReferences};
use crate::domain::scope::Scopes;
use crate::service::client_auth::AuthenticatedClient;
use crate::service::error::{OAuthCode, OAuthFailure, refused};
use crate::service::issue::Opening;
use crate::service::{RequestContext, Service};

impl Service {
    pub(super) async fn client_credentials(
        &self,
        client: &AuthenticatedClient,
        scope: Option<Scopes>,
        resources: &[String],
        references: SessionReferences,
        context: &RequestContext,
    ) -> Result<TokenAnswer, OAuthFailure> {
        if !client.is_confidential() {
            return refused(OAuthCode::UnauthorizedClient, "a public client can't use client_credentials");
        }
        let mut targets = self.targets(&client.workspace, resources, scope.as_ref(), &client.scopes).await?;
        let scopes = scope.unwrap_or_else(|| targets.default_scopes(&client.scopes));
        if !client.scopes.covers(&scopes) {
            return refused(OAuthCode::InvalidScope, "the client is not registered for all of these scopes");
        }
        let (policy, now) = (self.session_policy(), self.clock.now());
        // No refresh token (RFC 6749 §4.4.3), so that the session ends with its only access token.
        let session_end = policy.rules.default_lifetime.lifetime().map(|lifetime| now.plus(lifetime.as_duration()));
        let end = policy.access_end(session_end, now);
        let opening = Opening {
            policy,
            workspace: &client.workspace,
            origin: Origin::Oauth,
            name: None,
            user: None,
            client: Some(client.key),
            scopes: scopes.clone(),
            apis: targets.apis,
            plans: Vec::new(),
            extra_fields: serde_json::Map::new(),
            session: SessionDetails { references, ..context.session_details() },
            as_of: client.as_of(),
        };
        let actor = format!("client:{}", client.client_id);
        let audit = |grant: crate::domain::ids::GrantId| {
            self.audit_event(context, client.workspace.id, actor, "token.issue", grant.to_string())
        };
        let issued = self.open_grant(opening, end, now, audit).await?;
        let expires_in = issued.lifetime(&issued.bearer).unwrap_or(i64::MAX);
        let access_token = issued.bearer.string;
        Ok(TokenAnswer { access_token, expires_in, scope: scopes, issued_token_type: None, refresh: None })
    }
}

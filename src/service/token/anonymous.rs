//! `grant_type=urn:jeton:params:oauth:grant-type:anonymous`: a session without a user, which a user may take over later.

use super::{RefreshAnswer, TokenAnswer};
use crate::domain::client::GrantType;
use crate::domain::grant::{Origin, SessionDetails, SessionReferences};
use crate::domain::ids::GrantId;
use crate::domain::scope::Scopes;
use crate::domain::token_string::TokenKind;
use crate::service::client_auth::AuthenticatedClient;
use crate::service::error::{OAuthCode, OAuthFailure, refused};
use crate::service::issue::Opening;
use crate::service::{RequestContext, Service};
use crate::store::issue::Issue;
use crate::store::token::NewToken;

impl Service {
    /// Opens a session. It may be refreshed where the client may refresh, because it lives longer than an access token.
    pub(super) async fn anonymous(
        &self,
        client: &AuthenticatedClient,
        scope: Option<Scopes>,
        references: SessionReferences,
        context: &RequestContext,
    ) -> Result<TokenAnswer, OAuthFailure> {
        if !client.is_confidential() {
            return refused(OAuthCode::UnauthorizedClient, "a public client can't open anonymous sessions");
        }
        // Nobody has signed in: nothing that is not asked for.
        let scopes = scope.unwrap_or_default();
        if !client.scopes.covers(&scopes) {
            return refused(OAuthCode::InvalidScope, "the client is not registered for all of these scopes");
        }
        let (policy, now) = (self.session_policy(), self.clock.now());
        let end = policy.rules.default_lifetime.lifetime().map(|lifetime| now.plus(lifetime.as_duration()));
        let grant = GrantId::generate(end, &self.entropy);
        let mint = |kind, end| self.codec.mint(kind, end, &self.entropy);
        let access = mint(TokenKind::Access, policy.access_end(end, now));
        let refresh = client.may_use(GrantType::RefreshToken).then(|| mint(TokenKind::Refresh, end));
        let opening = Opening {
            policy,
            workspace: &client.workspace,
            origin: Origin::Oauth,
            name: None,
            user: None,
            client: Some(client.key),
            scopes: scopes.clone(),
            apis: Vec::new(),
            plans: Vec::new(),
            extra_fields: serde_json::Map::new(),
            session: SessionDetails { references, anonymous: true, ..context.session_details() },
            as_of: client.as_of(),
        };
        let actor = format!("client:{}", client.client_id);
        let audit = self.audit_event(context, client.workspace.id, actor, "session.open", grant.to_string());
        let tokens = std::iter::once(&access).chain(&refresh);
        let issue = Issue {
            tokens: tokens.map(|token| NewToken::of(token, grant, now)).collect(),
            audit: audit.with_detail(&serde_json::json!({ "anonymous": true })),
            grant: opening.into_row(grant, end, now),
        };
        self.issue(issue).await?;
        Ok(TokenAnswer {
            expires_in: access.id.expires_at().map_or(i64::MAX, |end| end.seconds_left(now)),
            access_token: access.string,
            scope: scopes,
            issued_token_type: None,
            refresh: refresh.map(|refresh| RefreshAnswer {
                refresh_token: refresh.string,
                expires_in: end.map(|end| end.seconds_left(now)),
            }),
        })
    }
}

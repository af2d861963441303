//! The token endpoint (RFC 6749 §3.2): phases that every grant type goes through, then one file per grant type.

mod client_credentials;
mod on_any_endpoint;
mod refresh;
mod resource;

pub use on_any_endpoint::Undelivered;

use super::client_auth::AuthenticatedClient;
use super::error::{OAuthCode, OAuthError, OAuthFailure, refused};
use super::{RequestContext, Service};
use crate::domain::client::GrantType;
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;

/// The parameters of a token request, read but not yet judged.
#[derive(Debug)]
pub struct TokenRequest {
    pub grant_type: Option<String>,
    pub scope: Option<String>,
    pub refresh_token: Option<Secret<String>>,
    /// RFC 8707.
    pub resource: Vec<String>,
}

/// A successful answer (RFC 6749 §5.1).
#[derive(Debug)]
pub struct TokenAnswer {
    pub access_token: Secret<String>,
    pub expires_in: i64,
    pub scope: Scopes,
    pub refresh: Option<RefreshAnswer>,
}

/// The refresh token of an answer.
#[derive(Debug)]
pub struct RefreshAnswer {
    pub refresh_token: Secret<String>,
    pub expires_in: Option<i64>,
}

impl Service {
    /// Serves a token request of an authenticated client.
    ///
    /// # Errors
    /// The errors of RFC 6749 §5.2, `invalid_target` of RFC 8707 §2, or the store's.
    pub async fn token(
        &self,
        client: &AuthenticatedClient,
        request: TokenRequest,
        context: &RequestContext,
    ) -> Result<TokenAnswer, OAuthFailure> {
        let Some(grant_type) = &request.grant_type else {
            return refused(OAuthCode::InvalidRequest, "grant_type is missing");
        };
        let Ok(grant_type) = grant_type.parse::<GrantType>() else {
            return refused(OAuthCode::UnsupportedGrantType, "this grant_type is not supported");
        };
        if !client.may_use(grant_type) {
            return refused(OAuthCode::UnauthorizedClient, "the client is not registered for this grant_type");
        }
        let scope = request.scope.as_deref().map(str::parse::<Scopes>).transpose();
        let scope = scope.map_err(|error| OAuthError::new(OAuthCode::InvalidScope, error.to_string()))?;
        // Blanks only: as good as absent.
        let scope = scope.filter(|scope| !scope.is_empty());
        match grant_type {
            GrantType::ClientCredentials => self.client_credentials(client, scope, &request.resource, context).await,
            // What a refreshed token is for is what its grant is for; one for less can't be made.
            GrantType::RefreshToken if !request.resource.is_empty() => {
                refused(OAuthCode::InvalidTarget, "a refresh keeps the resources of the grant; leave resource out")
            }
            GrantType::RefreshToken => match request.refresh_token {
                Some(token) => self.refresh(client, &token, scope, context).await,
                None => refused(OAuthCode::InvalidRequest, "refresh_token is missing"),
            },
        }
    }
}

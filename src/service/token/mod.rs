//! The token endpoint (RFC 6749 §3.2): phases that every grant type goes through, then one file per grant type.

mod anonymous;
mod client_credentials;
mod exchange;
mod on_any_endpoint;
mod refresh;
mod resource;

pub use exchange::Exchange;
pub use on_any_endpoint::Undelivered;

use super::client_auth::AuthenticatedClient;
use super::error::{OAuthCode, OAuthError, OAuthFailure, refused};
use super::{RequestContext, Service};
use crate::domain::client::GrantType;
use crate::domain::grant::SessionReferences;
use crate::domain::name::shown_text;
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
    pub references: References,
    pub exchange: Exchange,
}

/// What the client wants to call the session that is opened, as it was sent.
#[derive(Debug, Default)]
pub struct References {
    pub external_reference_id: Option<String>,
    pub session_tag: Option<String>,
}

/// Long enough for a UUID or an order number with a prefix; they are stored with each session.
const MAX_REFERENCE_CHARS: usize = 128;

impl References {
    fn read(self) -> Result<SessionReferences, OAuthError> {
        let read = |name: &str, text: Option<String>| {
            text.map(|text| shown_text(&text, MAX_REFERENCE_CHARS))
                .transpose()
                .map_err(|error| OAuthError::new(OAuthCode::InvalidRequest, format!("{name} {error}")))
        };
        Ok(SessionReferences {
            external_reference_id: read("external_reference_id", self.external_reference_id)?,
            session_tag: read("session_tag", self.session_tag)?,
        })
    }
}

/// A successful answer (RFC 6749 §5.1).
#[derive(Debug)]
pub struct TokenAnswer {
    pub access_token: Secret<String>,
    pub expires_in: i64,
    pub scope: Scopes,
    /// Of a token exchange (RFC 8693 §2.2.1).
    pub issued_token_type: Option<&'static str>,
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
            GrantType::ClientCredentials => {
                let references = request.references.read()?;
                self.client_credentials(client, scope, &request.resource, references, context).await
            }
            GrantType::Anonymous | GrantType::TokenExchange if !request.resource.is_empty() => {
                refused(OAuthCode::InvalidTarget, "a session of this kind is for no resource; leave resource out")
            }
            GrantType::Anonymous => self.anonymous(client, scope, request.references.read()?, context).await,
            GrantType::TokenExchange => {
                self.exchange(client, request.exchange, scope, request.references.read()?, context).await
            }
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

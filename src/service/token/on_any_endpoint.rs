//! Refresh on any endpoint: a request that carries an expired access token and its refresh token is served with a new
//! pair, where the policy of the grant says so. The rotation is that of the token endpoint, repeats and replays included.

use futures_util::future::{BoxFuture, try_join};
use jeton_guard::{Limits, Outcome, Refusal, Requirement, Validator};

use super::TokenAnswer;
use crate::domain::secret::Secret;
use crate::domain::token_string::TokenKind;
use crate::service::client_auth::PresentedClient;
use crate::service::error::OAuthFailure;
use crate::service::validate::Validated;
use crate::service::{RequestContext, Service};
use crate::store::StoreError;

impl Service {
    /// The new pair for an access token that has expired and a refresh token of the same grant. `None` when there is
    /// none, for whatever reason: the request is then judged by its access token alone.
    ///
    /// # Errors
    /// The store's.
    pub async fn refresh_presented(
        &self,
        access: &str,
        refresh: &str,
        context: &RequestContext,
    ) -> Result<Option<TokenAnswer>, StoreError> {
        let (Ok(old), Ok(current)) = (self.codec.parse(access), self.codec.parse(refresh)) else {
            return Ok(None);
        };
        let expired = old.id.expires_at().is_some_and(|end| end <= self.clock.now());
        if !expired || old.kind != TokenKind::Access || current.kind != TokenKind::Refresh {
            return Ok(None);
        }
        let found = try_join(self.store.find_token(old.id), self.store.find_token(current.id)).await?;
        let (Some(stored_old), Some(stored_current)) = found else {
            return Ok(None);
        };
        let grant = &stored_current.grant;
        let proven = stored_old.is_proven_by(&old) && stored_current.is_proven_by(&current);
        if !proven || stored_old.grant.id != grant.id {
            return Ok(None);
        }
        if !self.policy_of(grant).await?.is_some_and(|policy| policy.rules.refresh_on_any_endpoint) {
            return Ok(None);
        }
        let Some(client) = &grant.client else {
            return Ok(None);
        };
        // Nobody authenticates a client here, so that only a public one can be served (RFC 6749 §6).
        let named = PresentedClient::Named { client_id: client.client_id.to_string() };
        let rotated = async {
            let client = self.authenticate(&named).await?;
            // As narrow as the token that has expired.
            self.refresh(&client, &Secret::new(refresh.to_owned()), Some(stored_old.scopes), context).await
        };
        match rotated.await {
            Ok(answer) => Ok(Some(answer)),
            Err(OAuthFailure::Refused(refusal)) => {
                tracing::debug!(grant.id = %grant.id, error = refusal.code.as_str(), "no refresh on this request");
                Ok(None)
            }
            Err(OAuthFailure::Store(error)) => Err(error),
        }
    }
}

/// Accepts a token whose holder has not received it yet. Its use by the request that made it must not end the time in
/// which the refresh may be repeated: the answer can still be lost.
#[derive(Clone, Debug)]
pub struct Undelivered(pub Service);

impl Validator for Undelivered {
    type Token = Validated;
    type Future = BoxFuture<'static, Outcome<Validated>>;

    fn validate(&self, token: &str) -> Self::Future {
        let (service, examined) = (self.0.clone(), self.0.examine(token));
        Box::pin(async move {
            let outcome = examined.await;
            if let Outcome::Active(validated) = &outcome {
                service.usage.note(validated.token().grant.id, validated.now, 0);
            }
            outcome
        })
    }

    fn admit(&self, token: &Validated, requirement: &Requirement) -> Result<Limits, Refusal> {
        self.0.admit(token, requirement)
    }
}

//! Who asks about tokens: a client that authenticates, or a bearer with the scope `introspect`.

use axum::http::request::Parts;
use axum::response::Response;
use jeton_guard::{Malformed, Outcome, Refusal, Requirement, Validator as _};

use super::authenticate;
use crate::http::client_credentials::{self, ReadClient};
use crate::http::form::Form;
use crate::http::{AppState, bearer};
use crate::service::client_auth::PresentedClient;
use crate::service::error::{OAuthCode, OAuthError};
use crate::service::introspect::Asker;
use crate::service::validate::unavailable;

/// # Errors
/// The response to give instead.
pub(super) async fn of(state: &AppState, parts: &Parts, form: &mut Form) -> Result<Asker, Response> {
    let refuse = |refusal: &Refusal| bearer::respond(state, refusal, parts);
    match jeton_guard::credential(&parts.headers, None) {
        Ok(Some(presented)) => {
            let second = client_credentials::read(&parts.headers, form);
            if !matches!(second, Ok(ReadClient { presented: PresentedClient::Nothing, .. })) {
                return Err(refuse(&Refusal::Malformed(Malformed::TwoCredentials)));
            }
            let validated = match state.service.validate(presented.token()).await {
                Outcome::Active(validated) => validated,
                Outcome::Inactive(inactive) => return Err(refuse(&Refusal::InvalidToken(inactive))),
                Outcome::Unavailable(unavailable) => return Err(refuse(&Refusal::Unavailable(unavailable))),
            };
            let needed = Requirement::none().scope("introspect");
            needed.check(&validated).map_err(|refusal| refuse(&refusal))?;
            match state.service.bearer_asker(&validated).await {
                Ok(Some(asker)) => Ok(asker),
                Ok(None) => Err(refuse(&Refusal::InsufficientScope { scope: "introspect".to_owned() })),
                Err(error) => Err(refuse(&Refusal::Unavailable(unavailable(&error)))),
            }
        }
        Err(malformed) => Err(refuse(&Refusal::Malformed(malformed))),
        Ok(None) => {
            let (client, answering) = authenticate(state, parts, form).await?;
            if client.is_confidential() {
                return Ok(Asker::client(&client));
            }
            let error =
                OAuthError::new(OAuthCode::InvalidClient, "a public client can't introspect: it proves nothing");
            Err(answering.refusal(&error))
        }
    }
}

//! `POST /oauth20/introspect` (RFC 7662).

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use jeton_guard::{Malformed, Outcome, Refusal, Requirement, Validator as _};

use super::{answering, authenticate};
use crate::http::client_credentials::{self, ReadClient};
use crate::http::form::Form;
use crate::http::oauth_error::no_store_json;
use crate::http::{Answer, AppState, bearer};
use crate::service::client_auth::PresentedClient;
use crate::service::error::{OAuthCode, OAuthError};
use crate::service::introspect::Asker;

pub(crate) async fn introspect(State(state): State<AppState>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let (state, parts) = (&state, &parts);
    let form = Form::read(parts, body, state.wire.settings.max_body_bytes).await;
    let mut form = form.map_err(|unreadable| answering(state, parts).unreadable(&unreadable))?;
    // Whoever asks is known before the token is looked at (RFC 7662 §4).
    let asker = asker(state, parts, &mut form).await?;
    let answering = answering(state, parts);
    let token = form
        .take("token")
        .ok_or_else(|| answering.refusal(&OAuthError::new(OAuthCode::InvalidRequest, "token is missing")))?;
    match state.service.introspect(&asker, &token).await {
        Ok(body) => Ok(no_store_json(body)),
        Err(error) => Err(answering.store(&error)),
    }
}

async fn asker(state: &AppState, parts: &Parts, form: &mut Form) -> Result<Asker, Response> {
    let refuse = |refusal: &Refusal| bearer::respond(refusal, &state.wire.challenge, parts.extensions.get());
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
            Ok(Asker::bearer(&validated))
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

//! `POST /oauth20/introspect` (RFC 7662).

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use jeton_guard::{Malformed, Outcome, Refusal, Requirement, Validator as _};

use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{answering, authenticate};
use crate::domain::grant::Revision;
use crate::domain::ids::{ClientId, TokenId};
use crate::http::client_credentials::{self, ReadClient};
use crate::http::form::Form;
use crate::http::oauth_error::no_store_json;
use crate::http::{Answer, AppState, bearer, notice, refusals, revision};
use crate::service::client_auth::PresentedClient;
use crate::service::error::{OAuthCode, OAuthError};
use crate::service::introspect::{Asker, Introspected};
use crate::service::validate::unavailable;

/// A question about a token (RFC 7662 section 2.1).
#[derive(ToSchema)]
#[schema(as = Introspect)]
#[expect(dead_code, reason = "describes the form that the handler reads")]
struct Question {
    #[schema(min_length = 1)]
    token: String,
    /// Never changes the answer: the kind stands in the token
    token_type_hint: Option<String>,
    /// Instead of the Authorization header
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// The state of a token (RFC 7662 section 2.2). Of one that is not active, unknown or not for this caller: `active` only.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what LiveToken::introspection writes")]
struct Introspection {
    active: bool,
    scope: Option<String>,
    client_id: Option<ClientId>,
    username: Option<String>,
    token_type: Option<String>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    sub: Option<String>,
    iss: Option<String>,
    jti: Option<TokenId>,
    workspace: Option<String>,
    name: Option<String>,
    policy: Option<String>,
    apis: Option<Vec<String>>,
    plans: Option<Vec<String>>,
    #[schema(value_type = Option<Object>)]
    extra_fields: Option<Map<String, Value>>,
    expires_in: Option<i64>,
    /// Seconds that this answer may be kept
    cache_max_age: Option<u32>,
    revision: Option<Revision>,
}

/// The state of a token (RFC 7662)
#[utoipa::path(post, path = "/oauth20/introspect", security(("bearer" = []), ("api_key" = [])),
    request_body(content = Question, content_type = "application/x-www-form-urlencoded", example = json!({ "token": "jtn_a_of_nobody" })),
    responses(
        (status = 200, description = "Its state", body = Introspection),
        (status = 403, description = "The bearer has not the scope introspect, or acts for a user who is no administrator"),
    ))]
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
    let at_least = revision::at_least(&parts.headers);
    let at_least = at_least.map_err(|error| answering.refusal(&OAuthError::new(OAuthCode::InvalidRequest, error)))?;
    match state.service.introspect(&asker, &token, at_least).await {
        Ok(Introspected { body, limits, token: told }) => {
            let mut response = no_store_json(body);
            limits.write(response.headers_mut());
            Ok(match told {
                Ok(validated) => notice::add(response, validated.token()),
                Err(rule) => {
                    refusals::note_inactive(state, rule, &token, parts);
                    response
                }
            })
        }
        Err(error) => Err(answering.store(&error)),
    }
}

async fn asker(state: &AppState, parts: &Parts, form: &mut Form) -> Result<Asker, Response> {
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

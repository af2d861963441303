//! `POST /oauth20/introspect` (RFC 7662).

use axum::extract::{Request, State};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{answering, asker};
use crate::domain::grant::Revision;
use crate::domain::ids::{ClientId, TokenId};
use crate::http::form::Form;
use crate::http::oauth_error::no_store_json;
use crate::http::{Answer, AppState, notice, refusals, revision};
use crate::service::error::{OAuthCode, OAuthError};
use crate::service::introspect::{Introspected, Question};

/// A question about a token (RFC 7662 section 2.1).
#[derive(ToSchema)]
#[schema(as = Introspect)]
#[expect(dead_code, reason = "describes the form that the handler reads")]
struct QuestionForm {
    #[schema(min_length = 1)]
    token: String,
    /// revocations: the answer names the events of GET /oauth20/revocations that concern the token
    follow: Option<String>,
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
    /// With follow: of which history the revision is
    history: Option<String>,
    /// With follow: the keys of all revocations that end or change the token
    revocation_keys: Option<Vec<String>>,
}

/// The state of a token (RFC 7662)
#[utoipa::path(post, path = "/oauth20/introspect", security(("bearer" = []), ("api_key" = [])),
    request_body(content = QuestionForm, content_type = "application/x-www-form-urlencoded", example = json!({ "token": "jtn_a_of_nobody" })),
    responses(
        (status = 200, description = "Its state", body = Introspection),
        (status = 403, description = "The bearer has not the scope introspect, or acts for a user who is no administrator"),
    ))]
pub(crate) async fn introspect(State(state): State<AppState>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let (state, parts) = (&state, &parts);
    let form = Form::read(parts, body, state.wire.limits.max_body_bytes()).await;
    let mut form = form.map_err(|unreadable| answering(state, parts).unreadable(&unreadable))?;
    // Whoever asks is known before the token is looked at (RFC 7662 §4).
    let asker = asker::of(state, parts, &mut form).await?;
    let answering = answering(state, parts);
    let token = form
        .take("token")
        .ok_or_else(|| answering.refusal(&OAuthError::new(OAuthCode::InvalidRequest, "token is missing")))?;
    let at_least = revision::at_least(&parts.headers);
    let at_least = at_least.map_err(|error| answering.refusal(&OAuthError::new(OAuthCode::InvalidRequest, error)))?;
    let follows = match form.take("follow").as_deref() {
        None => false,
        Some("revocations") => true,
        Some(_) => return Err(answering.refusal(&OAuthError::new(OAuthCode::InvalidRequest, "follow is revocations"))),
    };
    match state.service.introspect(&asker, &Question { token: &token, at_least, follows }).await {
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

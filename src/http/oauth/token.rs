//! `POST /oauth20/token` (RFC 6749 §3.2).

use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{answering, authenticate};
use crate::domain::client::GrantType;
use crate::domain::secret::Secret;
use crate::http::form::Form;
use crate::http::oauth_error::no_store;
use crate::http::{Answer, AppState, context, revision};
use crate::service::token::{Exchange, References, TokenAnswer, TokenRequest};

/// A token request (RFC 6749 sections 4.4.2 and 6, RFC 8693 section 2.1).
#[derive(ToSchema)]
#[schema(as = TokenRequest)]
#[expect(dead_code, reason = "describes the form that the handler reads")]
struct Question {
    grant_type: GrantType,
    /// May only narrow; separated by spaces
    scope: Option<String>,
    refresh_token: Option<String>,
    /// Instead of the Authorization header; alone for a public client
    client_id: Option<String>,
    client_secret: Option<String>,
    /// What the client calls the session that is opened
    #[schema(max_length = 128)]
    external_reference_id: Option<String>,
    #[schema(max_length = 128)]
    session_tag: Option<String>,
    /// A token of the user who takes an anonymous session over
    subject_token: Option<String>,
    subject_token_type: Option<String>,
    /// The access token of that session
    actor_token: Option<String>,
    actor_token_type: Option<String>,
    requested_token_type: Option<String>,
}

/// Get a token, or refresh a pair
///
/// A repeated refresh gets the identical answer for some seconds; later it is a replay, which ends the session.
#[utoipa::path(post, path = "/oauth20/token",
    request_body(content = Question, content_type = "application/x-www-form-urlencoded",
        example = json!({ "grant_type": "client_credentials", "scope": "orders:read" })),
    responses((status = 200, description = "The token (RFC 6749 section 5.1)", body = Wire<'static>)))]
pub(crate) async fn issue(State(state): State<AppState>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let (state, parts) = (&state, &parts);
    let form = Form::read(parts, body, state.wire.limits.max_body_bytes()).await;
    let mut form = form.map_err(|unreadable| answering(state, parts).unreadable(&unreadable))?;
    let (client, answering) = authenticate(state, parts, &mut form).await?;
    let request = TokenRequest {
        grant_type: form.take("grant_type"),
        scope: form.take("scope"),
        refresh_token: form.take("refresh_token").map(Secret::new),
        resource: form.take_all("resource"),
        references: References {
            external_reference_id: form.take("external_reference_id"),
            session_tag: form.take("session_tag"),
        },
        exchange: Exchange {
            subject_token: form.take("subject_token").map(Secret::new),
            subject_token_type: form.take("subject_token_type"),
            actor_token: form.take("actor_token").map(Secret::new),
            actor_token_type: form.take("actor_token_type"),
            requested_token_type: form.take("requested_token_type"),
            audience: form.take_all("audience"),
        },
    };
    let answer = state.service.token(&client, request, &context::of(parts, state)).await;
    let answer = answer.map_err(|failure| answering.failure(&failure))?;
    Ok(revision::with(no_store(&Wire::of(&answer)), client.as_of()))
}

/// RFC 6749 §5.1.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenAnswer)]
struct Wire<'a> {
    access_token: &'a str,
    /// RFC 8693 §2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_expires_in: Option<i64>,
}

impl<'a> Wire<'a> {
    fn of(answer: &'a TokenAnswer) -> Self {
        let refresh = answer.refresh.as_ref();
        Self {
            access_token: answer.access_token.expose_secret(),
            issued_token_type: answer.issued_token_type,
            token_type: "Bearer",
            expires_in: answer.expires_in,
            scope: answer.scope.to_string(),
            refresh_token: refresh.map(|refresh| refresh.refresh_token.expose_secret().as_str()),
            refresh_token_expires_in: refresh.and_then(|refresh| refresh.expires_in),
        }
    }
}

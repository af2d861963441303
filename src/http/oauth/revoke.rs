//! `POST /oauth20/revoke` (RFC 7009).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;

use utoipa::ToSchema;

use super::{answering, authenticate};
use crate::http::form::Form;
use crate::http::{Answer, AppState, context, revision};
use crate::service::error::{OAuthCode, OAuthError};

/// A token to revoke (RFC 7009 section 2.1).
#[derive(ToSchema)]
#[schema(as = Revoke)]
#[expect(dead_code, reason = "describes the form that the handler reads")]
struct Question {
    #[schema(min_length = 1)]
    token: String,
    /// Never changes the outcome: the kind stands in the token
    token_type_hint: Option<String>,
    /// Instead of the Authorization header; alone for a public client
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// Revoke an access or refresh token (RFC 7009)
///
/// 200 too for a token that is unknown, expired or revoked already.
#[utoipa::path(post, path = "/oauth20/revoke",
    request_body(content = Question, content_type = "application/x-www-form-urlencoded", example = json!({ "token": "jtn_a_of_nobody" })),
    responses((status = 200, description = "No such token is in force, on no node")))]
pub(crate) async fn revoke(State(state): State<AppState>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let (state, parts) = (&state, &parts);
    let form = Form::read(parts, body, state.wire.limits.max_body_bytes()).await;
    let mut form = form.map_err(|unreadable| answering(state, parts).unreadable(&unreadable))?;
    let (client, answering) = authenticate(state, parts, &mut form).await?;
    // token_type_hint is not read: the kind stands in the token string (RFC 7009 §2.1 lets the server ignore it).
    let token = form
        .take("token")
        .ok_or_else(|| answering.refusal(&OAuthError::new(OAuthCode::InvalidRequest, "token is missing")))?;
    let receipt = state.service.revoke_for_client(&client, &token, &context::of(parts, state)).await;
    let receipt = receipt.map_err(|failure| answering.failure(&failure))?;
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(receipt) = receipt {
        revision::put(response.headers_mut(), receipt.revision);
    }
    Ok(response)
}

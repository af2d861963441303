//! `POST /oauth20/revoke` (RFC 7009).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::{answering, authenticate};
use crate::http::form::Form;
use crate::http::{Answer, AppState, context};
use crate::service::error::{OAuthCode, OAuthError};

pub(crate) async fn revoke(State(state): State<AppState>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let (state, parts) = (&state, &parts);
    let form = Form::read(parts, body, state.wire.settings.max_body_bytes).await;
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
        response.headers_mut().insert("x-jeton-revision", HeaderValue::from(receipt.revision.value()));
    }
    Ok(response)
}

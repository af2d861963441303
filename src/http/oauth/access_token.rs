//! `GET` and `DELETE /oauth20/access-token`: the session behind the presented token.

use axum::Extension;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use jeton_guard::{Inactive, Refusal};
use serde::Serialize;

use super::answering;
use crate::domain::grant::Dead;
use crate::domain::token_string::TokenKind;
use crate::http::context::Context;
use crate::http::oauth_error::no_store_json;
use crate::http::{AppState, bearer};
use crate::service::revoke::Receipt;
use crate::service::session::{KeyRefusal, SessionView};
use crate::service::validate::Validated;

/// The answer to GET.
#[derive(Serialize)]
struct Shown<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: Option<i64>,
    scope: &'a str,
    session: SessionView<'a>,
}

/// The answer to DELETE.
#[derive(Serialize)]
struct Ended<'a> {
    session: SessionView<'a>,
    revocation: Receipt,
}

/// The session of an access token, or the access token that a key opens.
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(validated): Extension<Validated>,
    Context(context): Context,
    parts: Parts,
) -> Response {
    let presented = presented(&parts.headers, &parts.uri);
    if validated.token().kind != TokenKind::Key {
        return shown(presented, &validated);
    }
    match state.service.access_token_of_key(&validated, presented, &context).await {
        Ok(access) => shown(access.access_token.expose_secret(), &access.validated),
        Err(KeyRefusal::Store(error)) => answering(&state, &parts).store(&error),
        Err(refusal) => {
            let refusal = match refusal {
                KeyRefusal::Dead(Dead::Expired) => Refusal::InvalidToken(Inactive::Expired),
                KeyRefusal::Dead(Dead::Disabled) => Refusal::InvalidToken(Inactive::Disabled),
                KeyRefusal::Dead(Dead::Revoked) | KeyRefusal::Store(_) => Refusal::InvalidToken(Inactive::Revoked),
                KeyRefusal::MintsNothing => Refusal::InsufficientScope { scope: String::new() },
            };
            bearer::respond(&refusal, &state.wire.challenge, parts.extensions.get())
        }
    }
}

fn shown(access_token: &str, validated: &Validated) -> Response {
    let token = validated.token();
    let body = Shown {
        access_token,
        token_type: "Bearer",
        expires_in: token.expires_in(validated.now),
        scope: &token.scope,
        session: SessionView::of(&token.grant, validated.now),
    };
    no_store_json(serde_json::to_vec(&body).expect("a session is plain data"))
}

/// Revokes the presented token and terminates its session.
pub(crate) async fn end(
    State(state): State<AppState>,
    Extension(validated): Extension<Validated>,
    Context(context): Context,
    parts: Parts,
) -> Response {
    let ended = async {
        let receipt = state.service.revoke_presented(&validated, &context).await?;
        let grant = state.service.store.find_grant(validated.token().grant.id).await?;
        Ok::<_, crate::store::StoreError>((receipt, grant))
    };
    let (receipt, grant) = match ended.await {
        Ok((receipt, grant)) => (receipt, grant.unwrap_or_else(|| (*validated.token().grant).clone())),
        Err(error) => return answering(&state, &parts).store(&error),
    };
    let body = Ended { session: SessionView::of(&grant, state.service.clock.now()), revocation: receipt };
    let mut response = no_store_json(serde_json::to_vec(&body).expect("a session is plain data"));
    response.headers_mut().insert("x-jeton-revision", HeaderValue::from(receipt.revision.value()));
    response
}

/// The string that the middleware has accepted.
fn presented<'a>(headers: &'a HeaderMap, uri: &Uri) -> &'a str {
    jeton_guard::credential(headers, uri.query()).ok().flatten().map_or("", |presented| presented.token())
}

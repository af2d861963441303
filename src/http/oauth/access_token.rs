//! `GET` and `DELETE /oauth20/access-token`: the session behind the presented token.

use axum::Extension;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use jeton_guard::{Inactive, Limits, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use super::answering;
use crate::domain::grant::Dead;
use crate::domain::token_string::TokenKind;
use crate::http::context::Context;
use crate::http::oauth_error::no_store;
use crate::http::{AppState, bearer, notice, revision};
use crate::service::revoke::Receipt;
use crate::service::session::{KeyRefusal, SessionView};
use crate::service::validate::Validated;

/// An access token and its session.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessToken)]
struct Shown<'a> {
    access_token: &'a str,
    #[schema(examples("Bearer"))]
    token_type: &'static str,
    #[schema(required)]
    expires_in: Option<i64>,
    scope: &'a str,
    session: SessionView<'a>,
}

/// A session that is over.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionEnded)]
struct Ended<'a> {
    session: SessionView<'a>,
    revocation: Receipt,
}

/// The session of an access token, or the access token that a key opens
///
/// With a key, repeating the call returns the same token until it is near its end.
#[utoipa::path(get, path = "/oauth20/access-token",
    responses((status = 200, description = "The session and its token", body = Shown<'static>)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(validated): Extension<Validated>,
    Context(context): Context,
    parts: Parts,
) -> Response {
    let refuse = |refusal: &Refusal| bearer::respond(&state, refusal, &parts);
    let limits = match state.service.count_use(&validated, &[]) {
        Ok(limits) => limits,
        Err(refusal) => return refuse(&refusal),
    };
    let presented = presented(&parts.headers, &parts.uri);
    if validated.token().kind != TokenKind::Key {
        return shown(presented, &validated, &limits);
    }
    match state.service.access_token_of_key(&validated, presented, &context).await {
        Ok(access) => shown(access.access_token.expose_secret(), &access.validated, &limits),
        Err(KeyRefusal::Store(error)) => answering(&state, &parts).store(&error),
        Err(refusal) => {
            let refusal = match refusal {
                KeyRefusal::Dead(Dead::Expired) => Refusal::InvalidToken(Inactive::Expired),
                KeyRefusal::Dead(Dead::Disabled) => Refusal::InvalidToken(Inactive::Disabled),
                KeyRefusal::Dead(Dead::Revoked) | KeyRefusal::Store(_) => Refusal::InvalidToken(Inactive::Revoked),
                KeyRefusal::MintsNothing => Refusal::InsufficientScope { scope: String::new() },
            };
            refuse(&refusal)
        }
    }
}

fn shown(access_token: &str, validated: &Validated, limits: &Limits) -> Response {
    let token = validated.token();
    let body = Shown {
        access_token,
        token_type: "Bearer",
        expires_in: token.expires_in(validated.now),
        scope: &token.scope,
        session: SessionView::of(&token.grant, validated.now),
    };
    let mut response = no_store(&body);
    limits.write(response.headers_mut());
    notice::add(response, token)
}

/// Revoke the presented token and terminate its session
#[utoipa::path(delete, path = "/oauth20/access-token",
    responses((status = 200, description = "Over, on every node", body = Ended<'static>)))]
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
    let mut response = no_store(&body);
    revision::put(response.headers_mut(), receipt.revision);
    notice::add(response, validated.token())
}

/// The string that the middleware has accepted.
fn presented<'a>(headers: &'a HeaderMap, uri: &Uri) -> &'a str {
    jeton_guard::credential(headers, uri.query()).ok().flatten().map_or("", |presented| presented.token())
}

//! `GET /api/v1/token`: what a token is, told to whoever holds it.

use axum::Extension;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Timestamp;
use crate::domain::ids::TokenId;
use crate::domain::token_string::TokenKind;
use crate::http::oauth_error::no_store;
use crate::http::path::NoQuery;
use crate::service::tokens::TokenView;
use crate::service::validate::Validated;

/// The presented token, and what it was issued under.
#[derive(Serialize, ToSchema)]
#[schema(as = PresentedToken)]
struct Presented<'a> {
    /// The public id of this very secret
    jti: TokenId,
    kind: &'static str,
    /// What this secret may do; the token itself may have more scopes
    scope: &'a str,
    issued_at: Timestamp,
    /// The end of this secret; null when it does not end
    #[schema(required)]
    ends_at: Option<Timestamp>,
    /// Seconds until then
    #[schema(required)]
    expires_in: Option<i64>,
    token: TokenView<'a>,
}

/// Tell a token about itself
#[utoipa::path(get, path = "/api/v1/token",
    responses((status = 200, description = "The presented token", body = Presented<'static>)))]
pub(crate) async fn show(Extension(validated): Extension<Validated>, _: NoQuery) -> Response {
    let (token, now) = (validated.token(), validated.now);
    no_store(&Presented {
        jti: token.id,
        kind: if token.kind == TokenKind::Key { "key" } else { "access" },
        scope: &token.scope,
        issued_at: token.issued_at,
        ends_at: token.expires_at,
        expires_in: token.expires_in(now),
        token: TokenView::of(&token.grant, now),
    })
}

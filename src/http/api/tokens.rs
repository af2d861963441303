//! `/api/v1/tokens…`: a user's own tokens.

use axum::extract::{Request, State};
use axum::http::request::Parts;

use crate::domain::ids::GrantId;
use crate::http::caller::Member;
use crate::http::dry_run::DryRun;
use crate::http::openapi::texts::RepeatKey;
use crate::http::page::{Page, PageQuery};
use crate::http::path::{NoQuery, Segment};
use crate::http::tokens::acts;
use crate::http::tokens::answers::{AllRevoked, Changed, Created, Ended, Outcome};
use crate::http::tokens::bodies::{BulkBody, CreateBody, EditBody, EndBody, RevokeAllBody, RotateBody};
use crate::http::tokens::filter::FilterBody;
use crate::http::{Answer, AppState};
use crate::service::tokens::{Ending, Manager, TokenView};

/// The policy that revoke-all is about where none is named: the one that the page of short-lived tokens shows.
const DEFAULT_REVOKE_ALL: &str = "access";

/// Make a token of one's own
///
/// Its secrets are in the answer, this once. With an `Idempotency-Key` the call can be repeated within a day: it gets the same
/// secrets, and makes nothing new.
#[utoipa::path(post, path = "/api/v1/tokens",
    params(("Idempotency-Key" = Option<RepeatKey>, Header)),
    request_body(content = CreateBody, examples(
        ("access token" = (value = json!({ "policy": "access", "lifetime": "6h", "scopes": ["orders:read"] }))),
        ("api key" = (value = json!({ "policy": "key", "name": "robot" }))),
        ("pair" = (value = json!({ "policy": "api", "name": "ci", "lifetime": "90d", "extra_fields": { "team": "web" } }))),
    )),
    responses(
        (status = 201, description = "Made", body = Created<'static>),
        (status = 422, description = "The Idempotency-Key was used for another request"),
    ))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::create(&state, &Manager::own(caller), "/api/v1/tokens", &parts, body).await
}

/// List one's own tokens, newest first
///
/// With `Accept: text/csv` or `application/x-ndjson` the whole list is streamed.
#[utoipa::path(get, path = "/api/v1/tokens", params(PageQuery, FilterBody),
    responses((status = 200, description = "A page, or the whole list", content(
        (Page<'static, TokenView<'static>> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    ))))]
pub(crate) async fn list(State(state): State<AppState>, Member(caller): Member, parts: Parts) -> Answer {
    acts::list(&state, Manager::own(caller), &parts).await
}

/// Show one of one's own tokens
#[utoipa::path(get, path = "/api/v1/tokens/{id}", params(("id" = GrantId, Path)),
    responses((status = 200, description = "The token; its version is the ETag", body = TokenView<'static>)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    acts::show(&state, &Manager::own(caller), &id, &parts).await
}

/// Edit one of one's own tokens: extra fields and APIs
///
/// Only while it is active, and only as nobody else has edited it meanwhile. In force on the next validation.
#[utoipa::path(patch, path = "/api/v1/tokens/{id}",
    params(("id" = GrantId, Path), ("If-Match" = String, Header, description = "The ETag that the edit was made on")),
    request_body(content = EditBody, example = json!({ "extra_fields": { "team": "web", "old": null } })),
    responses(
        (status = 200, description = "Edited, on every node", body = Changed<'static>),
        (status = 409, description = "It is not active"),
        (status = 412, description = ""),
        (status = 428, description = ""),
    ))]
pub(crate) async fn edit(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::edit(&state, &Manager::own(caller), &id, &parts, body).await
}

/// Give one of one's own tokens a new secret
///
/// It stays the same token: id, end and rights. The old secret is accepted for as long as `overlap` says; an old refresh token
/// is not.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/rotate",
    params(("id" = GrantId, Path)),
    request_body(content = Option<RotateBody>, example = json!({ "overlap": "1h" })),
    responses(
        (status = 200, description = "The new secret, this once", body = Created<'static>),
        (status = 409, description = "It is not active, or a session or legacy token"),
    ))]
pub(crate) async fn rotate(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::rotate(&state, &Manager::own(caller), &id, &parts, body).await
}

/// Disable one of one's own tokens, for good
///
/// It stays in the list. Whether access tokens of a pair live on is a rule of its policy. With `dry_run=true` the answer tells what would be changed.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/disable",
    params(("id" = GrantId, Path), ("dry_run" = Option<bool>, Query, description = "Only tell what would be changed")),
    request_body(content = Option<EndBody>, example = json!({ "reason": "not used any more" })),
    responses(
        (status = 200, description = "In force, on every node; or what would be changed", body = Ended<'static>),
        (status = 409, description = "It is ended over HTTP only; the detail has the call"),
    ))]
pub(crate) async fn disable(
    State(state): State<AppState>,
    Member(caller): Member,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::end(&state, &Manager::own(caller), (Ending::Disable, &id), dry_run, &parts, body).await
}

/// Delete one of one's own tokens
///
/// As disabling, and it is gone from the list; kept for the audit. With `dry_run=true` the answer tells what would be changed.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}",
    params(("id" = GrantId, Path), ("dry_run" = Option<bool>, Query, description = "Only tell what would be changed")),
    responses(
        (status = 200, description = "In force, on every node", body = Outcome<'static>),
        (status = 409, description = "It is ended over HTTP only; the detail has the call"),
    ))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Member(caller): Member,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::end(&state, &Manager::own(caller), (Ending::Delete, &id), dry_run, &parts, body).await
}

/// Revoke one of one's own tokens, and what its policy says goes with it
///
/// Every request with it is a 401 from now on, on every node. With `dry_run=true` the answer tells what would be changed.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revoke",
    params(("id" = GrantId, Path), ("dry_run" = Option<bool>, Query, description = "Only tell what would be changed")),
    request_body(content = Option<EndBody>, example = json!({ "reason": "lost" })),
    responses(
        (status = 200, description = "In force, on every node; or what would be changed", body = Ended<'static>),
        (status = 409, description = "It is ended over HTTP only; the detail has the call"),
    ))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    Member(caller): Member,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::end(&state, &Manager::own(caller), (Ending::Revoke, &id), dry_run, &parts, body).await
}

/// Disable, delete or revoke many of one's own tokens
///
/// By their ids or by a filter, in one step: with `expect_count` only if that many would be changed.
#[utoipa::path(post, path = "/api/v1/tokens/bulk",
    request_body(content = BulkBody, example = json!({ "action": "disable", "filter": { "policy": ["api"], "q": "old" }, "dry_run": true })),
    responses(
        (status = 200, description = "In force, on every node; or what would be changed", body = Outcome<'static>),
        (status = 409, description = "Another number of tokens than expected"),
    ))]
pub(crate) async fn bulk(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::bulk(&state, &Manager::own(caller), &parts, body).await
}

/// Revoke all live tokens of one's own under a policy
///
/// One row, whatever their number; all are dead on every node when the call returns.
#[utoipa::path(post, path = "/api/v1/tokens/revoke-all",
    request_body(content = Option<RevokeAllBody>, example = json!({ "policy": "access" })),
    responses(
        (status = 200, description = "Revoked, on every node; or what would be", body = AllRevoked<'static>),
        (status = 409, description = "Tokens of this policy are ended over HTTP only, or another number than expected"),
    ))]
pub(crate) async fn revoke_all(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::revoke_all(&state, &Manager::own(caller), Some(DEFAULT_REVOKE_ALL), &parts, body).await
}

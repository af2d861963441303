//! `/admin/v1/tokens…`: everybody's tokens, for administrators.

use axum::extract::{Request, State};
use axum::http::request::Parts;

use crate::domain::ids::GrantId;
use crate::http::caller::Admin;
use crate::http::dry_run::DryRun;
use crate::http::openapi::texts::RepeatKey;
use crate::http::page::{Page, PageQuery};
use crate::http::path::{NoQuery, Segment};
use crate::http::tokens::acts;
use crate::http::tokens::answers::{AllRevoked, Changed, Created, Ended, Outcome};
use crate::http::tokens::bodies::{BulkBody, CreateBody, EditBody, EndBody, RevokeAllBody, RotateBody};
use crate::http::tokens::filter::FilterBody;
use crate::http::{Answer, AppState, problem};
use crate::service::tokens::{Ending, Manager, TokenView};

/// Make a token for a user or client of the workspace
///
/// Its secrets are in the answer, this once. With an `Idempotency-Key` the call can be repeated within a day: it gets the same
/// secrets, and makes nothing new.
#[utoipa::path(post, path = "/admin/v1/tokens",
    params(("Idempotency-Key" = Option<RepeatKey>, Header)),
    request_body(content = CreateBody, examples(
        ("managed" = (value = json!({ "policy": "managed", "name": "partner", "lifetime": "90d", "extra_fields": { "team": "web" } }))),
        ("api key" = (value = json!({ "policy": "key", "name": "robot" }))),
    )),
    responses(
        (status = 201, description = "Made", body = Created<'static>),
        (status = 422, description = "The Idempotency-Key was used for another request"),
    ))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::create(&state, &Manager::workspace(caller).map_err(problem::of(&parts))?, "/admin/v1/tokens", &parts, body)
        .await
}

/// List the workspace's tokens, newest first
///
/// With `Accept: text/csv` or `application/x-ndjson` the whole list is streamed.
#[utoipa::path(get, path = "/admin/v1/tokens", params(PageQuery, FilterBody),
    responses((status = 200, description = "A page, or the whole list", content(
        (Page<'static, TokenView<'static>> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    ))))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    acts::list(&state, Manager::workspace(caller).map_err(problem::of(&parts))?, &parts).await
}

/// Show a token of the workspace
#[utoipa::path(get, path = "/admin/v1/tokens/{id}", params(("id" = GrantId, Path)),
    responses((status = 200, description = "The token; its version is the ETag", body = TokenView<'static>)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    acts::show(&state, &Manager::workspace(caller).map_err(problem::of(&parts))?, &id, &parts).await
}

/// Edit a token of the workspace: owner, extra fields, APIs and plans
///
/// Only while it is active, and only as nobody else has edited it meanwhile. In force on the next validation.
#[utoipa::path(patch, path = "/admin/v1/tokens/{id}",
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
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::edit(&state, &Manager::workspace(caller).map_err(problem::of(&parts))?, &id, &parts, body).await
}

/// Give a token of the workspace a new secret
///
/// It stays the same token: id, end and rights. The old secret is accepted for as long as `overlap` says; an old refresh token
/// is not.
#[utoipa::path(post, path = "/admin/v1/tokens/{id}/rotate",
    params(("id" = GrantId, Path)),
    request_body(content = Option<RotateBody>, example = json!({ "overlap": "1h" })),
    responses(
        (status = 200, description = "The new secret, this once", body = Created<'static>),
        (status = 409, description = "It is not active, or a session or legacy token"),
    ))]
pub(crate) async fn rotate(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::rotate(&state, &Manager::workspace(caller).map_err(problem::of(&parts))?, &id, &parts, body).await
}

/// Disable a token of the workspace, for good
///
/// It stays in the list. Whether access tokens of a pair live on is a rule of its policy. With `dry_run=true` the answer tells what would be changed.
#[utoipa::path(post, path = "/admin/v1/tokens/{id}/disable",
    params(("id" = GrantId, Path), ("dry_run" = Option<bool>, Query, description = "Only tell what would be changed")),
    request_body(content = Option<EndBody>, example = json!({ "reason": "not used any more" })),
    responses(
        (status = 200, description = "In force, on every node; or what would be changed", body = Ended<'static>),
        (status = 409, description = "It is ended over HTTP only; the detail has the call"),
    ))]
pub(crate) async fn disable(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::end(
        &state,
        &Manager::workspace(caller).map_err(problem::of(&parts))?,
        (Ending::Disable, &id),
        dry_run,
        &parts,
        body,
    )
    .await
}

/// Delete a token of the workspace
///
/// As disabling, and it is gone from the list; kept for the audit. With `dry_run=true` the answer tells what would be changed.
#[utoipa::path(delete, path = "/admin/v1/tokens/{id}",
    params(("id" = GrantId, Path), ("dry_run" = Option<bool>, Query, description = "Only tell what would be changed")),
    responses(
        (status = 200, description = "In force, on every node", body = Outcome<'static>),
        (status = 409, description = "It is ended over HTTP only; the detail has the call"),
    ))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::end(
        &state,
        &Manager::workspace(caller).map_err(problem::of(&parts))?,
        (Ending::Delete, &id),
        dry_run,
        &parts,
        body,
    )
    .await
}

/// Revoke a token of the workspace, and what its policy says goes with it
///
/// Every request with it is a 401 from now on, on every node. With `dry_run=true` the answer tells what would be changed.
#[utoipa::path(post, path = "/admin/v1/tokens/{id}/revoke",
    params(("id" = GrantId, Path), ("dry_run" = Option<bool>, Query, description = "Only tell what would be changed")),
    request_body(content = Option<EndBody>, example = json!({ "reason": "lost" })),
    responses(
        (status = 200, description = "In force, on every node; or what would be changed", body = Ended<'static>),
        (status = 409, description = "It is ended over HTTP only; the detail has the call"),
    ))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::end(
        &state,
        &Manager::workspace(caller).map_err(problem::of(&parts))?,
        (Ending::Revoke, &id),
        dry_run,
        &parts,
        body,
    )
    .await
}

/// Disable, delete or revoke many of the workspace's tokens
///
/// By their ids or by a filter, in one step: with `expect_count` only if that many would be changed.
#[utoipa::path(post, path = "/admin/v1/tokens/bulk",
    request_body(content = BulkBody, example = json!({ "action": "disable", "filter": { "policy": ["api"], "q": "old" }, "dry_run": true })),
    responses(
        (status = 200, description = "In force, on every node; or what would be changed", body = Outcome<'static>),
        (status = 409, description = "Another number of tokens than expected"),
    ))]
pub(crate) async fn bulk(State(state): State<AppState>, Admin(caller): Admin, _: NoQuery, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    acts::bulk(&state, &Manager::workspace(caller).map_err(problem::of(&parts))?, &parts, body).await
}

/// Revoke all live tokens of an owner
///
/// One row, whatever their number; all are dead on every node when the call returns.
#[utoipa::path(post, path = "/admin/v1/tokens/revoke-all",
    request_body(content = Option<RevokeAllBody>, example = json!({ "policy": "access", "dry_run": true })),
    responses(
        (status = 200, description = "Revoked, on every node; or what would be", body = AllRevoked<'static>),
        (status = 409, description = "Tokens of this policy are ended over HTTP only, or another number than expected"),
    ))]
pub(crate) async fn revoke_all(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    acts::revoke_all(&state, &Manager::workspace(caller).map_err(problem::of(&parts))?, None, &parts, body).await
}

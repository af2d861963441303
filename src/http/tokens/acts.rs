//! From a request about tokens to the use case and its answer, for whoever manages them.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::answers::{AllRevoked, Changed, Created, Outcome};
use super::bodies::{BulkBody, CreateBody, EditBody, EndBody, RevokeAllBody, RotateBody};
use super::filter::{self, FilterBody};
use crate::domain::ids::GrantId;
use crate::domain::lifetime::Lifetime;
use crate::http::export::{self, Format, Whole};
use crate::http::list_query::ListQuery;
use crate::http::oauth_error::no_store;
use crate::http::{Answer, AppState, etag, idempotency, json, location, page, problem, revision};
use crate::service::error::ApiFailure;
use crate::service::tokens::{
    EndTokens, Ending, Impact, Manager, RevokeAll, RotateToken, Selected, TokenFilter, TokenView,
};
use crate::store::grant::GrantCursor;

/// Names that one bulk act may give.
const MAX_IDS: usize = 1_000;

pub(crate) async fn list(state: &AppState, manager: Manager, parts: &Parts) -> Answer {
    let query = ListQuery::read(&parts.uri, filter::NAMES).map_err(problem::of(parts))?;
    let filter = FilterBody::of_query(&query).and_then(|filter| filter.read("?")).map_err(problem::of(parts))?;
    let after = query.page.after;
    let after =
        after.map_or(GrantCursor::START, |(created_at, id)| GrantCursor { created_at, id: GrantId::from_bytes(id) });
    if let Format::Whole(whole) = Format::accepted(&parts.headers) {
        return whole_list(state, manager, filter, after, whole).await.map_err(problem::of(parts));
    }
    let listed = state.service.list_tokens(&manager, filter, after, query.page.limit).await;
    let (grants, next) = listed.map_err(problem::of(parts))?;
    let now = state.service.clock.now();
    let views: Vec<TokenView<'_>> = grants.iter().map(|grant| TokenView::of(grant, now)).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.id.as_bytes()));
    Ok(page::respond(&parts.uri, query.page.limit, &views, next))
}

/// The whole list, from `after` on, as it is read.
///
/// # Errors
/// The store's, where not even the first page can be read.
pub(crate) async fn whole_list(
    state: &AppState,
    manager: Manager,
    filter: TokenFilter,
    after: GrantCursor,
    whole: Whole,
) -> Result<Response, ApiFailure> {
    let (service, manager) = (state.service.clone(), std::sync::Arc::new(manager));
    let page = move |after: GrantCursor, first: bool| {
        let (service, manager, filter) = (service.clone(), std::sync::Arc::clone(&manager), filter.clone());
        async move {
            let (grants, next) = service.list_tokens(&manager, filter, after, export::PAGE).await?;
            let now = service.clock.now();
            let views: Vec<TokenView<'_>> = grants.iter().map(|grant| TokenView::of(grant, now)).collect();
            Ok((whole.write(&views, first), next))
        }
    };
    export::whole(whole, "tokens", after, page).await
}

pub(crate) async fn show(state: &AppState, manager: &Manager, id: &str, parts: &Parts) -> Answer {
    let id = grant_id(id).map_err(problem::of(parts))?;
    let grant = state.service.find_token(manager, id).await.map_err(problem::of(parts))?;
    Ok(etag::tag(no_store(&TokenView::of(&grant, state.service.clock.now())), grant.version))
}

pub(crate) async fn create(state: &AppState, manager: &Manager, collection: &str, parts: &Parts, body: Body) -> Answer {
    let request: CreateBody = json::read(parts, body, state).await?;
    let key = idempotency::key(parts).map_err(problem::of(parts))?;
    let created = state.service.create_token(manager, request.into(), key.as_ref()).await;
    let created = created.map_err(problem::of(parts))?;
    let view = TokenView::of(&created.grant, state.service.clock.now());
    let answer = Created::of(
        view,
        &created.issued,
        created.credential,
        created.client_id.as_ref(),
        &state.service.settings.issuer,
    );
    let mut response = etag::tag(no_store(&answer), created.grant.version);
    *response.status_mut() = StatusCode::CREATED;
    let response = location::add(response, collection, &created.grant.id.to_string());
    Ok(idempotency::mark(revision::with(response, created.grant.revision), created.repeated))
}

pub(crate) async fn edit(state: &AppState, manager: &Manager, id: &str, parts: &Parts, body: Body) -> Answer {
    let patch: EditBody = json::read(parts, body, state).await?;
    let id = grant_id(id).map_err(problem::of(parts))?;
    let if_match = etag::if_match(&parts.headers).map_err(problem::of(parts))?;
    let edited = state.service.edit_token(manager, id, patch.into(), if_match).await;
    let (grant, revocation) = edited.map_err(problem::of(parts))?;
    let token = TokenView::of(&grant, state.service.clock.now());
    let reached = revocation.revision;
    Ok(etag::tag(revision::with(no_store(&Changed { token, revocation }), reached), grant.version))
}

pub(crate) async fn rotate(state: &AppState, manager: &Manager, id: &str, parts: &Parts, body: Body) -> Answer {
    let RotateBody { overlap } = json::read_optional(parts, body, state).await?;
    let id = grant_id(id).map_err(problem::of(parts))?;
    let request = RotateToken { overlap: overlap.unwrap_or(Lifetime::from_secs(0)) };
    let rotated = state.service.rotate_token(manager, id, request).await.map_err(problem::of(parts))?;
    let view = TokenView::of(&rotated.grant, state.service.clock.now());
    let client_id = rotated.grant.client.as_ref().map(|client| &client.client_id);
    let issuer = &state.service.settings.issuer;
    let mut answer = Created::of(view, &rotated.issued, rotated.credential, client_id, issuer);
    answer.revocation = Some(rotated.receipt);
    Ok(etag::tag(revision::with(no_store(&answer), rotated.receipt.revision), rotated.grant.version))
}

/// Ends the token that the path names.
pub(crate) async fn end(
    state: &AppState,
    manager: &Manager,
    (ending, id): (Ending, &str),
    dry_run: bool,
    parts: &Parts,
    body: Body,
) -> Answer {
    let EndBody { reason } = json::read_optional(parts, body, state).await?;
    let id = grant_id(id).map_err(problem::of(parts))?;
    let end = EndTokens { ending, selected: Selected::One(id), reason, expect_count: None, dry_run };
    let ended = state.service.end_tokens(manager, end).await.map_err(problem::of(parts))?;
    let Some(revocation) = ended.receipt.filter(|_| ending != Ending::Delete) else {
        return Ok(outcome(&ended.impact, dry_run, ended.receipt));
    };
    let grant = state.service.find_token(manager, id).await.map_err(problem::of(parts))?;
    let token = TokenView::of(&grant, state.service.clock.now());
    let reached = revocation.revision;
    Ok(etag::tag(revision::with(no_store(&Changed { token, revocation }), reached), grant.version))
}

fn outcome(impact: &Impact, dry_run: bool, revocation: Option<crate::service::revoke::Receipt>) -> Response {
    let reached = revocation.map(|receipt| receipt.revision);
    revision::with(no_store(&Outcome { dry_run, impact, revocation }), reached)
}

pub(crate) async fn bulk(state: &AppState, manager: &Manager, parts: &Parts, body: Body) -> Answer {
    let request: BulkBody = json::read(parts, body, state).await?;
    let selected = selected(&request).map_err(problem::of(parts))?;
    let BulkBody { action, expect_count, reason, dry_run, .. } = request;
    let end = EndTokens { ending: action.into(), selected, reason, expect_count, dry_run };
    let ended = state.service.end_tokens(manager, end).await.map_err(problem::of(parts))?;
    Ok(outcome(&ended.impact, dry_run, ended.receipt))
}

fn selected(request: &BulkBody) -> Result<Selected, ApiFailure> {
    match (&request.ids, &request.filter) {
        (Some(ids), None) if ids.len() > MAX_IDS => {
            Err(ApiFailure::field("/ids", format!("has at most {MAX_IDS} entries; use a filter for more")))
        }
        (Some(ids), None) => {
            let read = ids.iter().enumerate().map(|(index, id)| {
                id.parse().ok().ok_or_else(|| ApiFailure::field(&format!("/ids/{index}"), "is no token id"))
            });
            read.collect::<Result<Vec<GrantId>, _>>().map(Selected::Ids)
        }
        (None, Some(filter)) => filter.read("/filter/").map(|filter| Selected::Matching(Box::new(filter))),
        (Some(_), Some(_)) => Err(ApiFailure::field("/filter", "can't be given together with ids")),
        (None, None) => Err(ApiFailure::field("/ids", "or filter is needed: an empty filter means every token")),
    }
}

pub(crate) async fn revoke_all(
    state: &AppState,
    manager: &Manager,
    default_policy: Option<&str>,
    parts: &Parts,
    body: Body,
) -> Answer {
    let RevokeAllBody { owner, policy, reason, expect_count, dry_run } =
        json::read_optional(parts, body, state).await?;
    let policy = policy.or_else(|| default_policy.map(ToOwned::to_owned));
    let request = RevokeAll { owner, policy, reason, expect_count, dry_run };
    let revoked = state.service.revoke_all_tokens(manager, request).await.map_err(problem::of(parts))?;
    let impact = &revoked.impact;
    let answer = no_store(&AllRevoked {
        message: (!dry_run).then_some("All Access Tokens have been revoked."),
        revoked: revoked.counted.then_some(impact.changed),
        outcome: Outcome { dry_run, impact, revocation: revoked.receipt },
    });
    Ok(revision::with(answer, revoked.receipt.map(|receipt| receipt.revision)))
}

fn grant_id(text: &str) -> Result<GrantId, ApiFailure> {
    text.parse().ok().ok_or(ApiFailure::NotFound("token"))
}

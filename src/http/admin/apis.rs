//! `/admin/v1/apis…`

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;

use crate::domain::api::Api;
use crate::domain::ids::ApiId;
use crate::http::caller::Admin;
use crate::http::dry_run::DryRun;
use crate::http::oauth_error::no_store_json;
use crate::http::page::{self, PageRequest};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, json as body, location, problem};
use crate::service::apis::{ApiView, CreateApi, EditApi};
use crate::service::caller::Caller;
use crate::service::error::ApiFailure;
use crate::store::api::ApiCursor;

/// The body of POST.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    name: String,
    audience: String,
    #[serde(default)]
    scopes: Vec<String>,
}

/// The body of PATCH: a merge patch (RFC 7396) whose members can't be removed. The name is no member of it: tokens know
/// the API by it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    #[serde(default, deserialize_with = "body::present")]
    audience: Option<String>,
    #[serde(default, deserialize_with = "body::present")]
    scopes: Option<Vec<String>>,
}

pub(crate) async fn create(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let CreateBody { name, audience, scopes } = body::read(&parts, body, &state).await?;
    let created = state.service.create_api(&caller, &CreateApi { name, audience, scopes }).await;
    let api = created.map_err(problem::of(&parts))?;
    let mut response = answer(&caller, &api);
    *response.status_mut() = StatusCode::CREATED;
    Ok(location::add(response, "/admin/v1/apis", &api.id.to_string()))
}

pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let page = PageRequest::read(&parts.uri).map_err(problem::of(&parts))?;
    let after =
        page.after.map_or(ApiCursor::START, |(created_at, id)| ApiCursor { created_at, id: ApiId::from_bytes(id) });
    let listed = state.service.list_apis(&caller, after, page.limit).await;
    let (apis, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<ApiView<'_>> = apis.iter().map(|api| ApiView::of(api, caller.workspace_name())).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.id.as_bytes()));
    Ok(page::respond(&parts.uri, page.limit, &views, next))
}

pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = api_id(&id).map_err(problem::of(&parts))?;
    let api = state.service.find_api(&caller, id).await.map_err(problem::of(&parts))?;
    Ok(answer(&caller, &api))
}

pub(crate) async fn edit(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let id = api_id(&id).map_err(problem::of(&parts))?;
    let versions = etag::if_match(&parts.headers).map_err(problem::of(&parts))?;
    let EditBody { audience, scopes } = body::read(&parts, body, &state).await?;
    let edited = state.service.edit_api(&caller, id, &versions, EditApi { audience, scopes }).await;
    Ok(answer(&caller, &edited.map_err(problem::of(&parts))?))
}

pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = api_id(&id).map_err(problem::of(&parts))?;
    let deletion = state.service.delete_api(&caller, id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(no_store_json(serde_json::to_vec(&deletion).expect("a view is plain data")))
}

fn answer(caller: &Caller, api: &Api) -> Response {
    let view = ApiView::of(api, caller.workspace_name());
    etag::tag(no_store_json(serde_json::to_vec(&view).expect("a view is plain data")), api.version)
}

fn api_id(text: &str) -> Result<ApiId, ApiFailure> {
    text.parse().ok().ok_or(ApiFailure::NotFound("API"))
}

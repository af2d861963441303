//! `/admin/v1/apis…`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::api::{Api, Audience};
use crate::domain::catalog_name::CatalogName;
use crate::domain::ids::ApiId;
use crate::domain::scope::Scopes;
use crate::http::caller::Admin;
use crate::http::dry_run::{DryRun, DryRunQuery};
use crate::http::export::{self, Format};
use crate::http::oauth_error::no_store;
use crate::http::page::{self, Page, PageQuery, PageRequest};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, json as body, location, problem};
use crate::service::apis::{ApiView, CreateApi, EditApi};
use crate::service::caller::Caller;
use crate::service::catalog::Deletion;
use crate::service::error::ApiFailure;
use crate::store::api::ApiCursor;

/// The body of POST.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiCreate)]
struct CreateBody {
    #[schema(value_type = CatalogName)]
    name: String,
    #[schema(value_type = Audience)]
    audience: String,
    #[serde(default)]
    #[schema(value_type = Scopes)]
    scopes: Vec<String>,
}

/// The body of PATCH: a merge patch (RFC 7396) whose members can't be removed. The name is no member of it: tokens know
/// the API by it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiEdit)]
struct EditBody {
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Audience, required = false)]
    audience: Option<String>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Scopes, required = false)]
    scopes: Option<Vec<String>>,
}

/// Make an API
#[utoipa::path(post, path = "/admin/v1/apis", request_body(content = CreateBody, example = json!({ "name": "orders", "audience": "https://orders.example", "scopes": ["orders:read"] })),
    responses(
        (status = 201, description = "Made", body = ApiView<'static>),
        (status = 409, description = "The name is in use"),
    ))]
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

/// List the workspace's APIs, newest first
///
/// With `Accept: text/csv` or `application/x-ndjson` the whole list is streamed.
#[utoipa::path(get, path = "/admin/v1/apis", params(PageQuery),
    responses((status = 200, description = "A page, or the whole list", content(
        (Page<'static, ApiView<'static>> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    ))))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let page = PageRequest::read(&parts.uri).map_err(problem::of(&parts))?;
    let after =
        page.after.map_or(ApiCursor::START, |(created_at, id)| ApiCursor { created_at, id: ApiId::from_bytes(id) });
    if let Format::Whole(whole) = Format::accepted(&parts.headers) {
        let asked = Arc::new((state, caller));
        let page = move |after: ApiCursor, first: bool| {
            let asked = Arc::clone(&asked);
            async move {
                let (rows, next) = asked.0.service.list_apis(&asked.1, after, export::PAGE).await?;
                let views: Vec<ApiView<'_>> =
                    rows.iter().map(|api| ApiView::of(api, asked.1.workspace_name())).collect();
                Ok((whole.write(&views, first), next))
            }
        };
        return export::whole(whole, "apis", after, page).await.map_err(problem::of(&parts));
    }
    let listed = state.service.list_apis(&caller, after, page.limit).await;
    let (apis, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<ApiView<'_>> = apis.iter().map(|api| ApiView::of(api, caller.workspace_name())).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.id.as_bytes()));
    Ok(page::respond(&parts.uri, page.limit, &views, next))
}

/// Show an API
#[utoipa::path(get, path = "/admin/v1/apis/{id}", params(("id" = ApiId, Path)),
    responses((status = 200, description = "As it is", body = ApiView<'static>)))]
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

/// Edit an API: what is left out stays as it is
#[utoipa::path(patch, path = "/admin/v1/apis/{id}", params(("id" = ApiId, Path)),
    request_body(content = EditBody, example = json!({ "scopes": [] })),
    responses((status = 200, description = "As it now is", body = ApiView<'static>)))]
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

/// Delete an API
///
/// It ends no token, but those that name it are no longer covered by it.
#[utoipa::path(delete, path = "/admin/v1/apis/{id}", params(("id" = ApiId, Path), DryRunQuery),
    responses((status = 200, description = "Gone; or what would be", body = Deletion), (status = 409)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = api_id(&id).map_err(problem::of(&parts))?;
    let deletion = state.service.delete_api(&caller, id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(no_store(&deletion))
}

fn answer(caller: &Caller, api: &Api) -> Response {
    let view = ApiView::of(api, caller.workspace_name());
    etag::tag(no_store(&view), api.version)
}

fn api_id(text: &str) -> Result<ApiId, ApiFailure> {
    text.parse().ok().ok_or(ApiFailure::NotFound("API"))
}

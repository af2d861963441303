//! `/admin/v1/plans…`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::catalog_name::CatalogName;
use crate::domain::ids::PlanId;
use crate::domain::lifetime::Lifetime;
use crate::domain::plan::Plan;
use crate::http::caller::Admin;
use crate::http::dry_run::{DryRun, DryRunQuery};
use crate::http::export::{self, Format};
use crate::http::oauth_error::no_store;
use crate::http::page::{self, Page, PageQuery, PageRequest};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, json as body, location, problem};
use crate::service::caller::Caller;
use crate::service::catalog::Deletion;
use crate::service::error::ApiFailure;
use crate::service::plans::{CreatePlan, EditPlan, PlanView};
use crate::store::plan::PlanCursor;

/// The body of POST.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanCreate)]
struct CreateBody {
    #[schema(value_type = CatalogName)]
    name: String,
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    requests: u32,
    period: Lifetime,
    #[serde(default)]
    #[schema(value_type = Vec<CatalogName>)]
    apis: Vec<String>,
}

/// The body of PATCH: a merge patch (RFC 7396) whose members can't be removed. The name is no member of it: tokens know
/// the plan by it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanEdit)]
struct EditBody {
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = u32, required = false, minimum = 1, maximum = 1_000_000_000)]
    requests: Option<u32>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Lifetime, required = false)]
    period: Option<Lifetime>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Vec<CatalogName>, required = false)]
    apis: Option<Vec<String>>,
}

/// Make a plan
#[utoipa::path(post, path = "/admin/v1/plans", request_body(content = CreateBody, example = json!({ "name": "small", "requests": 100, "period": "1m" })),
    responses(
        (status = 201, description = "Made", body = PlanView<'static>),
        (status = 409, description = "The name is in use"),
    ))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let CreateBody { name, requests, period, apis } = body::read(&parts, body, &state).await?;
    let created = state.service.create_plan(&caller, &CreatePlan { name, requests, period, apis }).await;
    let plan = created.map_err(problem::of(&parts))?;
    let mut response = answer(&caller, &plan);
    *response.status_mut() = StatusCode::CREATED;
    Ok(location::add(response, "/admin/v1/plans", &plan.id.to_string()))
}

/// List the workspace's plans, newest first
///
/// With `Accept: text/csv` or `application/x-ndjson` the whole list is streamed.
#[utoipa::path(get, path = "/admin/v1/plans", params(PageQuery),
    responses((status = 200, description = "A page, or the whole list", content(
        (Page<'static, PlanView<'static>> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    ))))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let page = PageRequest::read(&parts.uri).map_err(problem::of(&parts))?;
    let after =
        page.after.map_or(PlanCursor::START, |(created_at, id)| PlanCursor { created_at, id: PlanId::from_bytes(id) });
    if let Format::Whole(whole) = Format::accepted(&parts.headers) {
        let asked = Arc::new((state, caller));
        let page = move |after: PlanCursor, first: bool| {
            let asked = Arc::clone(&asked);
            async move {
                let (rows, next) = asked.0.service.list_plans(&asked.1, after, export::PAGE).await?;
                let views: Vec<PlanView<'_>> =
                    rows.iter().map(|plan| PlanView::of(plan, asked.1.workspace_name())).collect();
                Ok((whole.write(&views, first), next))
            }
        };
        return export::whole(whole, "plans", after, page).await.map_err(problem::of(&parts));
    }
    let listed = state.service.list_plans(&caller, after, page.limit).await;
    let (plans, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<PlanView<'_>> = plans.iter().map(|plan| PlanView::of(plan, caller.workspace_name())).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.id.as_bytes()));
    Ok(page::respond(&parts.uri, page.limit, &views, next))
}

/// Show a plan
#[utoipa::path(get, path = "/admin/v1/plans/{id}", params(("id" = PlanId, Path)),
    responses((status = 200, description = "As it is", body = PlanView<'static>)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = plan_id(&id).map_err(problem::of(&parts))?;
    let plan = state.service.find_plan(&caller, id).await.map_err(problem::of(&parts))?;
    Ok(answer(&caller, &plan))
}

/// Edit a plan: what is left out stays as it is
#[utoipa::path(patch, path = "/admin/v1/plans/{id}", params(("id" = PlanId, Path)),
    request_body(content = EditBody, example = json!({ "requests": 200 })),
    responses((status = 200, description = "As it now is", body = PlanView<'static>)))]
pub(crate) async fn edit(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let id = plan_id(&id).map_err(problem::of(&parts))?;
    let versions = etag::if_match(&parts.headers).map_err(problem::of(&parts))?;
    let EditBody { requests, period, apis } = body::read(&parts, body, &state).await?;
    let edited = state.service.edit_plan(&caller, id, &versions, EditPlan { requests, period, apis }).await;
    Ok(answer(&caller, &edited.map_err(problem::of(&parts))?))
}

/// Delete a plan
///
/// It ends no token, but those that name it are no longer covered by it.
#[utoipa::path(delete, path = "/admin/v1/plans/{id}", params(("id" = PlanId, Path), DryRunQuery),
    responses((status = 200, description = "Gone; or what would be", body = Deletion), (status = 409)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = plan_id(&id).map_err(problem::of(&parts))?;
    let deletion = state.service.delete_plan(&caller, id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(no_store(&deletion))
}

fn answer(caller: &Caller, plan: &Plan) -> Response {
    let view = PlanView::of(plan, caller.workspace_name());
    etag::tag(no_store(&view), plan.version)
}

fn plan_id(text: &str) -> Result<PlanId, ApiFailure> {
    text.parse().ok().ok_or(ApiFailure::NotFound("plan"))
}

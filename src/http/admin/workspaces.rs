//! `/admin/v1/workspaces…` for operators, and `/admin/v1/workspace`, one's own, for administrators.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::domain::ids::WorkspaceId;
use crate::domain::secret::Secret;
use crate::http::caller::{Admin, Operator};
use crate::http::dry_run::{DryRun, DryRunQuery};
use crate::http::export::{self, Format};
use crate::http::list_query::ListQuery;
use crate::http::oauth_error::no_store;
use crate::http::openapi::texts::{EmailAddress, FilterText, NewPassword, RepeatKey, ShownName};
use crate::http::page::{Page, PageQuery};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, idempotency, json as body, location, page, problem, revision};
use crate::service::caller::Caller;
use crate::service::workspaces::{CreateWorkspace, CreatedWorkspaceView, DeletedWorkspace, WorkspaceView};
use crate::store::workspace::{Workspace, WorkspaceCursor};

/// The body of POST.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkspaceCreate)]
struct CreateBody {
    /// As in a host name; it never changes
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    name: String,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = AdminBody, required = false)]
    admin: Option<AdminBody>,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkspaceFirstAdmin)]
struct AdminBody {
    #[schema(value_type = ShownName)]
    username: String,
    #[serde(default)]
    #[schema(value_type = Option<EmailAddress>)]
    email: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<NewPassword>)]
    password: Option<String>,
}

impl Default for AdminBody {
    fn default() -> Self {
        Self { username: "admin".to_owned(), email: None, password: None }
    }
}

/// The body of PATCH: a merge patch (RFC 7396). A workspace's name never changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WorkspaceEdit)]
struct EditBody {
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = bool, required = false)]
    admin_override: Option<bool>,
}

/// Make a workspace with its first administrator and a key for them, shown once
///
/// With an `Idempotency-Key` the call can be repeated within a day: it gets the same key, and makes nothing new.
#[utoipa::path(post, path = "/admin/v1/workspaces",
    params(("Idempotency-Key" = Option<RepeatKey>, Header)),
    request_body(content = CreateBody, example = json!({ "name": "acme", "admin": { "username": "root", "email": "root@acme.example" } })),
    responses(
        (status = 201, description = "Made", body = CreatedWorkspaceView<'static>),
        (status = 409, description = "The name is or was in use"),
        (status = 422, description = "The Idempotency-Key was used for another request"),
    ))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Operator(operator): Operator,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let request: CreateBody = body::read(&parts, body, &state).await?;
    let admin = request.admin.unwrap_or_default();
    let request = CreateWorkspace {
        name: request.name,
        username: admin.username,
        email: admin.email,
        password: admin.password.map(Secret::new),
    };
    let key = idempotency::key(&parts).map_err(problem::of(&parts))?;
    let created =
        state.service.create_workspace(&operator, request, key.as_ref()).await.map_err(problem::of(&parts))?;
    let mut response = no_store(&CreatedWorkspaceView::of(&created));
    *response.status_mut() = StatusCode::CREATED;
    let response = location::add(response, "/admin/v1/workspaces", &created.workspace.id.to_string());
    Ok(idempotency::mark(etag::tag(response, created.workspace.version), created.repeated))
}

/// What the list of workspaces may be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
struct WorkspaceQuery {
    /// Part of a name
    q: Option<FilterText>,
}

/// List all workspaces, newest first
///
/// With `Accept: text/csv` or `application/x-ndjson` the whole list is streamed.
#[utoipa::path(get, path = "/admin/v1/workspaces", params(WorkspaceQuery, PageQuery),
    responses((status = 200, description = "A page, or the whole list", content(
        (Page<'static, WorkspaceView<'static>> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    ))))]
pub(crate) async fn list(State(state): State<AppState>, Operator(operator): Operator, parts: Parts) -> Answer {
    let query = ListQuery::read(&parts.uri, &["q"]).map_err(problem::of(&parts))?;
    let text = query.text("q").map_err(problem::of(&parts))?.unwrap_or_default();
    let after = query.page.after;
    let after = after.map_or(WorkspaceCursor::START, |(created_at, id)| WorkspaceCursor {
        created_at,
        id: WorkspaceId::from_bytes(id),
    });
    if let Format::Whole(whole) = Format::accepted(&parts.headers) {
        let asked = Arc::new((state, operator, text));
        let page = move |after: WorkspaceCursor, first: bool| {
            let asked = Arc::clone(&asked);
            async move {
                let (rows, next) =
                    asked.0.service.list_workspaces(&asked.1, asked.2.clone(), after, export::PAGE).await?;
                let views: Vec<WorkspaceView<'_>> = rows.iter().map(WorkspaceView::of).collect();
                Ok((whole.write(&views, first), next))
            }
        };
        return export::whole(whole, "workspaces", after, page).await.map_err(problem::of(&parts));
    }
    let listed = state.service.list_workspaces(&operator, text, after, query.page.limit).await;
    let (workspaces, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<WorkspaceView<'_>> = workspaces.iter().map(WorkspaceView::of).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.id.as_bytes()));
    Ok(page::respond(&parts.uri, query.page.limit, &views, next))
}

/// Show a workspace
#[utoipa::path(get, path = "/admin/v1/workspaces/{id}", params(("id" = WorkspaceId, Path)),
    responses((status = 200, description = "The workspace", body = WorkspaceView<'static>)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Operator(operator): Operator,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let workspace = state.service.find_workspace(&operator, &id).await.map_err(problem::of(&parts))?;
    Ok(shown(&workspace))
}

/// Edit the settings of a workspace
#[utoipa::path(patch, path = "/admin/v1/workspaces/{id}", params(("id" = WorkspaceId, Path)),
    request_body(content = EditBody, example = json!({ "admin_override": true })),
    responses((status = 200, description = "As it now is", body = WorkspaceView<'static>)))]
pub(crate) async fn edit(
    State(state): State<AppState>,
    Operator(operator): Operator,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let edit: EditBody = body::read(&parts, body, &state).await?;
    let workspace = state.service.find_workspace(&operator, &id).await.map_err(problem::of(&parts))?;
    apply(&state, &operator, &parts, workspace, &edit).await
}

/// Delete a workspace and everything in it
///
/// With `dry_run=true` the answer tells what would be revoked.
#[utoipa::path(delete, path = "/admin/v1/workspaces/{id}", params(("id" = WorkspaceId, Path), DryRunQuery),
    responses(
        (status = 200, description = "Deleted, its tokens are dead on every node; or what would be", body = DeletedWorkspace),
        (status = 409, description = "It is the operator's own"),
    ))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Operator(operator): Operator,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let deleted = state.service.delete_workspace(&operator, &id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(revision::with(no_store(&deleted), deleted.revocation.map(|receipt| receipt.revision)))
}

/// Show the caller's workspace
#[utoipa::path(get, path = "/admin/v1/workspace",
    responses((status = 200, description = "The workspace", body = WorkspaceView<'static>)))]
pub(crate) async fn show_own(State(state): State<AppState>, Admin(caller): Admin, _: NoQuery, parts: Parts) -> Answer {
    Ok(shown(&state.service.own_workspace(&caller).await.map_err(problem::of(&parts))?))
}

/// Edit the settings of the caller's workspace
#[utoipa::path(patch, path = "/admin/v1/workspace",
    request_body(content = EditBody, example = json!({ "admin_override": true })),
    responses((status = 200, description = "As it now is", body = WorkspaceView<'static>)))]
pub(crate) async fn edit_own(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let edit: EditBody = body::read(&parts, body, &state).await?;
    let workspace = state.service.own_workspace(&caller).await.map_err(problem::of(&parts))?;
    apply(&state, &caller, &parts, workspace, &edit).await
}

async fn apply(state: &AppState, caller: &Caller, parts: &Parts, workspace: Workspace, edit: &EditBody) -> Answer {
    let if_match = etag::if_match(&parts.headers).map_err(problem::of(parts))?;
    let edited = state.service.edit_workspace(caller, workspace, &if_match, edit.admin_override).await;
    Ok(shown(&edited.map_err(problem::of(parts))?))
}

fn shown(workspace: &Workspace) -> Response {
    etag::tag(no_store(&WorkspaceView::of(workspace)), workspace.version)
}

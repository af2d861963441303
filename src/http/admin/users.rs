//! `/admin/v1/users…`

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use crate::domain::ids::UserId;
use crate::domain::secret::Secret;
use crate::http::caller::Admin;
use crate::http::dry_run::DryRun;
use crate::http::list_query::ListQuery;
use crate::http::oauth_error::no_store_json;
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, json as body, location, page, problem};
use crate::service::error::ApiFailure;
use crate::service::user_edit::EditUser;
use crate::service::users::{CreateUser, UserView};
use crate::store::user::{Role, UserCursor, UserFilter};

/// The body of POST.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    username: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    password: Option<String>,
}

/// The body of PATCH: a merge patch (RFC 7396).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    #[serde(default, deserialize_with = "body::nullable")]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "body::present")]
    role: Option<String>,
    #[serde(default, deserialize_with = "body::present")]
    tokens_allowed: Option<bool>,
    #[serde(default, deserialize_with = "body::nullable")]
    password: Option<Option<String>>,
}

pub(crate) async fn create(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let request: CreateBody = body::read(&parts, body, &state).await?;
    let request = CreateUser {
        username: request.username,
        email: request.email,
        role: request.role,
        password: request.password.map(Secret::new),
    };
    let user = state.service.create_user(&caller, request).await.map_err(problem::of(&parts))?;
    let mut response = shown(&UserView::of(&user, &caller));
    *response.status_mut() = StatusCode::CREATED;
    Ok(location::add(response, "/admin/v1/users", &user.id.to_string()))
}

pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let query = ListQuery::read(&parts.uri, &["role", "q", "tokens_allowed"]).map_err(problem::of(&parts))?;
    let filter = filter(&query).map_err(problem::of(&parts))?;
    let after = query.page.after;
    let after =
        after.map_or(UserCursor::START, |(created_at, id)| UserCursor { created_at, id: UserId::from_bytes(id) });
    let listed = state.service.list_users(&caller, filter, after, query.page.limit).await;
    let (users, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<UserView<'_>> = users.iter().map(|user| UserView::of(user, &caller)).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.id.as_bytes()));
    Ok(page::respond(&parts.uri, query.page.limit, &views, next))
}

fn filter(query: &ListQuery) -> Result<UserFilter, ApiFailure> {
    Ok(UserFilter {
        roles: query.all_as("role", Role::from_name, "is member, admin or operator")?,
        text: query.text("q")?.unwrap_or_default(),
        tokens_allowed: query.flag("tokens_allowed")?,
    })
}

pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let user = state.service.find_workspace_user(&caller, &id).await.map_err(problem::of(&parts))?;
    Ok(shown(&UserView::of(&user, &caller)))
}

pub(crate) async fn edit(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let edit: EditBody = body::read(&parts, body, &state).await?;
    let edit = EditUser {
        email: edit.email,
        role: edit.role,
        tokens_allowed: edit.tokens_allowed,
        password: edit.password.map(|password| password.map(Secret::new)),
    };
    let if_match = etag::if_match(&parts.headers).map_err(problem::of(&parts))?;
    let user = state.service.edit_user(&caller, &id, &if_match, edit).await.map_err(problem::of(&parts))?;
    Ok(shown(&UserView::of(&user, &caller)))
}

/// Deletes a user and everything that they hold.
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let deleted = state.service.delete_user(&caller, &id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(no_store_json(json!(deleted).to_string()))
}

fn shown(view: &UserView<'_>) -> Response {
    etag::tag(no_store_json(json!(view).to_string()), view.version)
}

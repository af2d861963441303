//! `/admin/v1/users…`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::domain::ids::UserId;
use crate::domain::secret::Secret;
use crate::http::caller::Admin;
use crate::http::dry_run::{DryRun, DryRunQuery};
use crate::http::export::{self, Format};
use crate::http::list_query::ListQuery;
use crate::http::oauth_error::no_store;
use crate::http::openapi::texts::{EmailAddress, FilterText, NewPassword, RepeatKey, ShownName, SubjectText};
use crate::http::page::{Page, PageQuery};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, idempotency, json as body, location, page, problem, revision};
use crate::service::error::ApiFailure;
use crate::service::user_edit::{DeletedUser, EditUser};
use crate::service::users::{CreateUser, UserView};
use crate::store::user::{Role, UserCursor, UserFilter};

/// The body of POST.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserCreate)]
struct CreateBody {
    #[schema(value_type = ShownName)]
    username: String,
    #[serde(default)]
    #[schema(value_type = Option<EmailAddress>)]
    email: Option<String>,
    /// Member where none is named
    #[serde(default)]
    #[schema(value_type = Option<Role>)]
    role: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<NewPassword>)]
    password: Option<String>,
}

/// The body of PATCH: a merge patch (RFC 7396).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserEdit)]
struct EditBody {
    #[serde(default, deserialize_with = "body::nullable")]
    #[schema(value_type = Option<EmailAddress>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Role, required = false)]
    role: Option<String>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = bool, required = false)]
    tokens_allowed: Option<bool>,
    #[serde(default, deserialize_with = "body::nullable")]
    #[schema(value_type = Option<NewPassword>)]
    password: Option<Option<String>>,
    /// Who they are to the provider of `console.oidc`; `null` unties them
    #[serde(default, deserialize_with = "body::nullable")]
    #[schema(value_type = Option<IdentityBody>)]
    identity: Option<Option<IdentityBody>>,
}

/// A person at the provider that is configured.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserIdentityEdit)]
struct IdentityBody {
    #[schema(value_type = SubjectText)]
    subject: String,
}

/// What the list of users may be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
struct UserQuery {
    /// Any of them
    role: Option<Vec<Role>>,
    /// Part of a name or an e-mail address
    q: Option<FilterText>,
    tokens_allowed: Option<bool>,
}

/// Make a user
#[utoipa::path(post, path = "/admin/v1/users",
    params(("Idempotency-Key" = Option<RepeatKey>, Header)),
    request_body(content = CreateBody, example = json!({ "username": "ada", "email": "ada@acme.example", "role": "member" })),
    responses(
        (status = 201, description = "Made", body = UserView<'static>),
        (status = 409, description = "The username is or was in use"),
        (status = 422, description = "The Idempotency-Key was used for another request"),
    ))]
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
    let key = idempotency::key(&parts).map_err(problem::of(&parts))?;
    let created = state.service.create_user(&caller, request, key.as_ref()).await;
    let (user, repeated) = created.map_err(problem::of(&parts))?;
    let mut response = shown(&UserView::of(&user, &caller));
    *response.status_mut() = StatusCode::CREATED;
    let response = location::add(response, "/admin/v1/users", &user.id.to_string());
    Ok(idempotency::mark(response, repeated))
}

/// List the people of the workspace, newest first
///
/// With `Accept: text/csv` or `application/x-ndjson` the whole list is streamed.
#[utoipa::path(get, path = "/admin/v1/users", params(UserQuery, PageQuery),
    responses((status = 200, description = "A page, or the whole list", content(
        (Page<'static, UserView<'static>> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    ))))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let query = ListQuery::read(&parts.uri, &["role", "q", "tokens_allowed"]).map_err(problem::of(&parts))?;
    let filter = filter(&query).map_err(problem::of(&parts))?;
    let after = query.page.after;
    let after =
        after.map_or(UserCursor::START, |(created_at, id)| UserCursor { created_at, id: UserId::from_bytes(id) });
    if let Format::Whole(whole) = Format::accepted(&parts.headers) {
        let asked = Arc::new((state, caller, filter));
        let page = move |after: UserCursor, first: bool| {
            let asked = Arc::clone(&asked);
            async move {
                let (rows, next) = asked.0.service.list_users(&asked.1, asked.2.clone(), after, export::PAGE).await?;
                let views: Vec<UserView<'_>> = rows.iter().map(|user| UserView::of(user, &asked.1)).collect();
                Ok((whole.write(&views, first), next))
            }
        };
        return export::whole(whole, "users", after, page).await.map_err(problem::of(&parts));
    }
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

/// Show a user
#[utoipa::path(get, path = "/admin/v1/users/{id}", params(("id" = UserId, Path)),
    responses((status = 200, description = "The user", body = UserView<'static>)))]
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

/// Edit a user: what is left out stays as it is
#[utoipa::path(patch, path = "/admin/v1/users/{id}", params(("id" = UserId, Path)),
    request_body(content = EditBody, example = json!({ "tokens_allowed": false })),
    responses((status = 200, description = "As the user now is", body = UserView<'static>), (status = 409)))]
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
        subject: edit.identity.map(|identity| identity.map(|identity| identity.subject)),
    };
    let if_match = etag::if_match(&parts.headers).map_err(problem::of(&parts))?;
    let user = state.service.edit_user(&caller, &id, &if_match, edit).await.map_err(problem::of(&parts))?;
    Ok(shown(&UserView::of(&user, &caller)))
}

/// Delete a user and everything that they hold
#[utoipa::path(delete, path = "/admin/v1/users/{id}", params(("id" = UserId, Path), DryRunQuery),
    responses((status = 200, description = "Gone, on every node; or what would be", body = DeletedUser), (status = 409)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let deleted = state.service.delete_user(&caller, &id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(revision::with(no_store(&deleted), deleted.revocation.map(|receipt| receipt.revision)))
}

fn shown(view: &UserView<'_>) -> Response {
    etag::tag(no_store(view), view.version)
}

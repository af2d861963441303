//! `/admin/v1/webhooks`

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::event::EventKind;
use crate::domain::ids::WebhookId;
use crate::domain::lifetime::Lifetime;
use crate::http::caller::Admin;
use crate::http::dry_run::{DryRun, DryRunQuery};
use crate::http::json as body;
use crate::http::oauth_error::no_store;
use crate::http::openapi::texts::WebhookAddress;
use crate::http::page::Page;
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, location, problem};
use crate::service::error::ApiFailure;
use crate::service::webhooks::{
    CreateWebhook, DeletedWebhook, EditWebhook, TestResult, WebhookView, WebhookWithSecret,
};

/// The body of POST.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookCreate)]
struct CreateBody {
    #[schema(value_type = WebhookAddress)]
    url: String,
    /// What people call it
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = String, max_length = 200, required = false)]
    description: Option<String>,
    /// The types of events that it is sent; none named: all
    #[serde(default)]
    #[schema(value_type = Vec<EventKind>)]
    types: Vec<String>,
}

/// A webhook with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
struct SecretView<'a> {
    #[serde(flatten)]
    webhook: &'a WebhookView,
    /// What deliveries are signed with (Standard Webhooks); can't be shown again
    #[schema(pattern = "^whsec_[A-Za-z0-9+/]{43}=$")]
    secret: &'a str,
}

/// Have events sent to a URL
///
/// Signed as in the Standard Webhooks specification, at least once, in their order. What happens from now on is sent, this act first.
#[utoipa::path(post, path = "/admin/v1/webhooks",
    request_body(content = CreateBody, example = json!({ "url": "https://hooks.acme.example/jeton", "types": ["token.expiring", "token.leaked"] })),
    responses(
        (status = 201, description = "The webhook, with its secret", body = SecretView<'static>),
        (status = 409, description = "The workspace has as many as it may have"),
    ))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let CreateBody { url, description, types } = body::read(&parts, body, &state).await?;
    let made = state.service.create_webhook(&caller, CreateWebhook { url, description, types }).await;
    let made = made.map_err(problem::of(&parts))?;
    let mut response = with_secret(&made);
    *response.status_mut() = StatusCode::CREATED;
    Ok(location::add(response, "/admin/v1/webhooks", &made.webhook.id.to_string()))
}

/// List the workspace's webhooks, newest first
///
/// All of them are on one page.
#[utoipa::path(get, path = "/admin/v1/webhooks",
    responses((status = 200, description = "All of them", body = Page<'static, WebhookView>)))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, _: NoQuery, parts: Parts) -> Answer {
    let listed = state.service.list_webhooks(&caller).await;
    let data = listed.map_err(ApiFailure::from).map_err(problem::of(&parts))?;
    Ok(no_store(&Page { data: &data, next_cursor: None }))
}

/// Show a webhook, and how its deliveries are doing
#[utoipa::path(get, path = "/admin/v1/webhooks/{id}", params(("id" = WebhookId, Path)),
    responses((status = 200, description = "The webhook", body = WebhookView)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = named(&id).map_err(problem::of(&parts))?;
    let hook = state.service.find_webhook(&caller, id).await.map_err(problem::of(&parts))?;
    Ok(shown(&hook))
}

/// The body of PATCH: a merge patch (RFC 7396).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEdit)]
struct EditBody {
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = WebhookAddress, required = false)]
    url: Option<String>,
    /// What people call it
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = String, max_length = 200, required = false)]
    description: Option<String>,
    /// The types of events that it is sent; none named: all
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Vec<EventKind>, required = false)]
    types: Option<Vec<String>>,
    /// Switched on again, it is sent what has happened meanwhile, as far as that is kept
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
}

/// Edit a webhook, or switch it off and on: what is left out stays as it is
#[utoipa::path(patch, path = "/admin/v1/webhooks/{id}", params(("id" = WebhookId, Path)),
    request_body(content = EditBody, example = json!({ "enabled": false })),
    responses((status = 200, description = "As the webhook now is", body = WebhookView)))]
pub(crate) async fn edit(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let id = named(&id).map_err(problem::of(&parts))?;
    let EditBody { url, description, types, enabled } = body::read(&parts, body, &state).await?;
    let if_match = etag::if_match(&parts.headers).map_err(problem::of(&parts))?;
    let edit = EditWebhook { url, description, types, enabled };
    let edited = state.service.edit_webhook(&caller, id, &if_match, edit).await;
    Ok(shown(&edited.map_err(problem::of(&parts))?))
}

/// Delete a webhook: nothing more is sent to it
#[utoipa::path(delete, path = "/admin/v1/webhooks/{id}", params(("id" = WebhookId, Path), DryRunQuery),
    responses((status = 200, description = "Gone; or what would be", body = DeletedWebhook)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = named(&id).map_err(problem::of(&parts))?;
    let deleted = state.service.delete_webhook(&caller, id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(no_store(&deleted))
}

/// The body of a change of the secret; all of it may be left out.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookSecretRotate)]
struct RotateBody {
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Lifetime, required = false)]
    overlap: Option<Lifetime>,
}

/// Give a webhook a new secret
///
/// For as long as the overlap says (24 h where it is left out, 30 days at most), deliveries are signed with the one before too.
#[utoipa::path(post, path = "/admin/v1/webhooks/{id}/rotate-secret", params(("id" = WebhookId, Path)),
    request_body(content = Option<RotateBody>, example = json!({ "overlap": "1h" })),
    responses((status = 200, description = "The webhook and its new secret", body = SecretView<'static>)))]
pub(crate) async fn rotate_secret(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let id = named(&id).map_err(problem::of(&parts))?;
    let RotateBody { overlap } = body::read_optional(&parts, body, &state).await?;
    let rotated = state.service.rotate_webhook_secret(&caller, id, overlap).await;
    Ok(with_secret(&rotated.map_err(problem::of(&parts))?))
}

/// Send a message of type `webhook.test`, and tell what came of it
#[utoipa::path(post, path = "/admin/v1/webhooks/{id}/test", params(("id" = WebhookId, Path)),
    responses((status = 200, description = "What came of it, also if the message was not taken", body = TestResult)))]
pub(crate) async fn test(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = named(&id).map_err(problem::of(&parts))?;
    let result = state.service.test_webhook(&caller, id).await.map_err(problem::of(&parts))?;
    Ok(no_store(&result))
}

fn named(id: &str) -> Result<WebhookId, ApiFailure> {
    id.parse().ok().ok_or(ApiFailure::NotFound("webhook"))
}

fn shown(hook: &WebhookView) -> Response {
    etag::tag(no_store(hook), hook.version)
}

fn with_secret(made: &WebhookWithSecret) -> Response {
    let view = SecretView { webhook: &made.webhook, secret: made.secret.expose_secret() };
    etag::tag(no_store(&view), made.webhook.version)
}

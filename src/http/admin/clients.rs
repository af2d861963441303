//! `/admin/v1/clients…`

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::client::Client;
use crate::domain::ids::ClientKey;
use crate::domain::lifetime::Lifetime;
use crate::domain::secret::Secret;
use crate::http::caller::Admin;
use crate::http::dry_run::DryRun;
use crate::http::list_query::ListQuery;
use crate::http::oauth_error::no_store_json;
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, json as body, location, page, problem};
use crate::service::client_edit::EditClient;
use crate::service::clients::{ClientView, CreateClient};
use crate::service::error::ApiFailure;
use crate::store::client::{ClientCursor, ClientFilter};

/// The body of POST (names of RFC 7591 §2).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    name: String,
    grant_types: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    token_endpoint_auth_method: Option<String>,
    #[serde(default)]
    introspect: bool,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
}

/// A client with the secret that is shown this once.
#[derive(Serialize)]
struct ClientWithSecret<'a> {
    #[serde(flatten)]
    client: ClientView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

pub(crate) async fn create(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let request: CreateBody = body::read(&parts, body, &state).await?;
    let request = CreateClient {
        name: request.name,
        grant_types: request.grant_types,
        scopes: request.scopes,
        redirect_uris: request.redirect_uris,
        auth_method: request.token_endpoint_auth_method,
        introspect: request.introspect,
        client_id: request.client_id,
        client_secret: request.client_secret.map(Secret::new),
    };
    let created = state.service.create_client(&caller, request).await;
    let (client, secret) = created.map_err(problem::of(&parts))?;
    let secret = secret.as_ref().map(|secret| secret.expose_secret().as_str());
    let view = ClientWithSecret { client: ClientView::of(&client), client_secret: secret };
    let mut response = etag::tag(no_store_json(json!(view).to_string()), client.version);
    *response.status_mut() = StatusCode::CREATED;
    Ok(location::add(response, "/admin/v1/clients", client.client_id.as_str()))
}

pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let query = ListQuery::read(&parts.uri, &["q", "introspect"]).map_err(problem::of(&parts))?;
    let (filter, page) = (filter(&query).map_err(problem::of(&parts))?, query.page);
    let after = page
        .after
        .map_or(ClientCursor::START, |(created_at, key)| ClientCursor { created_at, key: ClientKey::from_bytes(key) });
    let listed = state.service.list_clients(&caller, filter, after, page.limit).await;
    let (clients, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<ClientView<'_>> = clients.iter().map(ClientView::of).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.key.as_bytes()));
    Ok(page::respond(&parts.uri, page.limit, &views, next))
}

fn filter(query: &ListQuery) -> Result<ClientFilter, ApiFailure> {
    Ok(ClientFilter { text: query.text("q")?.unwrap_or_default(), introspect: query.flag("introspect")? })
}

pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(client_id): Segment,
    parts: Parts,
) -> Answer {
    let client = state.service.find_workspace_client(&caller, &client_id).await.map_err(problem::of(&parts))?;
    Ok(shown(&client))
}

/// The body of PATCH: a merge patch (RFC 7396).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditBody {
    #[serde(default, deserialize_with = "body::present")]
    name: Option<String>,
    #[serde(default, deserialize_with = "body::present")]
    grant_types: Option<Vec<String>>,
    #[serde(default, deserialize_with = "body::present")]
    scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "body::present")]
    redirect_uris: Option<Vec<String>>,
    #[serde(default, deserialize_with = "body::present")]
    introspect: Option<bool>,
}

pub(crate) async fn edit(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(client_id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let edit: EditBody = body::read(&parts, body, &state).await?;
    let edit = EditClient {
        name: edit.name,
        grant_types: edit.grant_types,
        scopes: edit.scopes,
        redirect_uris: edit.redirect_uris,
        introspect: edit.introspect,
    };
    let if_match = etag::if_match(&parts.headers).map_err(problem::of(&parts))?;
    let edited = state.service.edit_client(&caller, &client_id, &if_match, edit).await;
    Ok(shown(&edited.map_err(problem::of(&parts))?))
}

/// The body of a change of the secret; all of it may be left out.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateBody {
    #[serde(default, deserialize_with = "body::present")]
    overlap: Option<Lifetime>,
}

pub(crate) async fn rotate_secret(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(client_id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let RotateBody { overlap } = body::read_optional(&parts, body, &state).await?;
    let rotated = state.service.rotate_client_secret(&caller, &client_id, overlap).await;
    let rotated = rotated.map_err(problem::of(&parts))?;
    let secret = rotated.secret.expose_secret();
    let view = ClientWithSecret { client: ClientView::of(&rotated.client), client_secret: Some(secret) };
    Ok(etag::tag(no_store_json(json!(view).to_string()), rotated.client.version))
}

/// Deletes a client and everything that was issued to it.
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(client_id): Segment,
    parts: Parts,
) -> Answer {
    let deleted = state.service.delete_client(&caller, &client_id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(no_store_json(json!(deleted).to_string()))
}

fn shown(client: &Client) -> Response {
    etag::tag(no_store_json(json!(ClientView::of(client)).to_string()), client.version)
}

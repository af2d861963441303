//! `/admin/v1/clients…`

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use crate::domain::ids::ClientKey;
use crate::domain::secret::Secret;
use crate::http::caller::Admin;
use crate::http::oauth_error::no_store_json;
use crate::http::page::{self, PageRequest};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, json as body, problem};
use crate::service::clients::{ClientView, CreateClient};
use crate::store::client::ClientCursor;

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
    let mut answer = json!(ClientView::of(&client));
    if let Some(secret) = secret {
        answer["client_secret"] = json!(secret.expose_secret());
    }
    let mut response = no_store_json(answer.to_string());
    *response.status_mut() = StatusCode::CREATED;
    let encoded: String = form_urlencoded::byte_serialize(client.client_id.as_str().as_bytes()).collect();
    if let Ok(location) = HeaderValue::try_from(format!("/admin/v1/clients/{}", encoded.replace('+', "%20"))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let page = PageRequest::read(&parts.uri).map_err(problem::of(&parts))?;
    let after = page
        .after
        .map_or(ClientCursor::START, |(created_at, key)| ClientCursor { created_at, key: ClientKey::from_bytes(key) });
    let listed = state.service.list_clients(&caller, after, page.limit).await;
    let (clients, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<ClientView<'_>> = clients.iter().map(ClientView::of).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.key.as_bytes()));
    Ok(page::respond(&parts.uri, page.limit, &views, next))
}

pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(client_id): Segment,
    parts: Parts,
) -> Answer {
    let client = state.service.find_workspace_client(&caller, &client_id).await.map_err(problem::of(&parts))?;
    Ok(etag::tag(no_store_json(json!(ClientView::of(&client)).to_string()), client.version))
}

/// Deletes a client and everything that was issued to it.
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(client_id): Segment,
    parts: Parts,
) -> Answer {
    let receipt = state.service.delete_client(&caller, &client_id).await.map_err(problem::of(&parts))?;
    Ok(no_store_json(json!({ "client_id": client_id, "revocation": receipt }).to_string()))
}

//! `/admin/v1/clients…`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::client::{AuthMethod, Client, GrantType};
use crate::domain::ids::{ClientId, ClientKey};
use crate::domain::lifetime::Lifetime;
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::http::caller::Admin;
use crate::http::dry_run::{DryRun, DryRunQuery};
use crate::http::export::{self, Format};
use crate::http::list_query::ListQuery;
use crate::http::oauth_error::no_store;
use crate::http::openapi::texts::{FilterText, RepeatKey, ShownName};
use crate::http::page::{Page, PageQuery};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, idempotency, json as body, location, page, problem, revision};
use crate::service::client_edit::EditClient;
use crate::service::clients::{ClientView, CreateClient, CreatedClient, DeletedClient};
use crate::service::error::ApiFailure;
use crate::store::client::{ClientCursor, ClientFilter};

/// The body of POST (names of RFC 7591 §2).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientCreate)]
struct CreateBody {
    #[schema(value_type = ShownName)]
    name: String,
    #[schema(value_type = Vec<GrantType>)]
    grant_types: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Scopes)]
    scopes: Vec<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Option<AuthMethod>)]
    token_endpoint_auth_method: Option<String>,
    /// May ask about every token of the workspace
    #[serde(default)]
    introspect: bool,
    /// Kept from another authorization server; else one is made
    #[serde(default)]
    #[schema(value_type = Option<ClientId>)]
    client_id: Option<String>,
    /// Kept from another authorization server; else one is made
    #[serde(default)]
    #[schema(min_length = 32, max_length = 512)]
    client_secret: Option<String>,
}

/// A client with the secret that is shown this once.
#[derive(Serialize, ToSchema)]
struct ClientWithSecret<'a> {
    #[serde(flatten)]
    client: ClientView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

/// Register an OAuth client
///
/// The secret of a confidential client is in the answer, this once.
#[utoipa::path(post, path = "/admin/v1/clients",
    params(("Idempotency-Key" = Option<RepeatKey>, Header)),
    request_body(content = CreateBody, examples(
        ("machine" = (value = json!({ "name": "Orders", "grant_types": ["client_credentials"], "scopes": ["orders:read"] }))),
        ("resource server" = (value = json!({ "name": "Gateway", "grant_types": [], "introspect": true }))),
        ("public" = (value = json!({ "name": "App", "grant_types": ["refresh_token"], "token_endpoint_auth_method": "none",
            "redirect_uris": ["https://app.example/back"] }))),
    )),
    responses(
        (status = 201, description = "Registered", body = ClientWithSecret<'static>),
        (status = 409, description = "The client_id is or was in use"),
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
    let key = idempotency::key(&parts).map_err(problem::of(&parts))?;
    let created = state.service.create_client(&caller, request, key.as_ref()).await;
    let CreatedClient { client, secret, repeated } = created.map_err(problem::of(&parts))?;
    let secret = secret.as_ref().map(|secret| secret.expose_secret().as_str());
    let view = ClientWithSecret { client: ClientView::of(&client), client_secret: secret };
    let mut response = etag::tag(no_store(&view), client.version);
    *response.status_mut() = StatusCode::CREATED;
    let response = location::add(response, "/admin/v1/clients", client.client_id.as_str());
    Ok(idempotency::mark(response, repeated))
}

/// What the list of clients may be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
struct ClientQuery {
    /// Part of a name or of a client id
    q: Option<FilterText>,
    introspect: Option<bool>,
}

/// List the workspace's clients, newest first
///
/// With `Accept: text/csv` or `application/x-ndjson` the whole list is streamed.
#[utoipa::path(get, path = "/admin/v1/clients", params(ClientQuery, PageQuery),
    responses((status = 200, description = "A page, or the whole list", content(
        (Page<'static, ClientView<'static>> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    ))))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let query = ListQuery::read(&parts.uri, &["q", "introspect"]).map_err(problem::of(&parts))?;
    let (filter, page) = (filter(&query).map_err(problem::of(&parts))?, query.page);
    let after = page
        .after
        .map_or(ClientCursor::START, |(created_at, key)| ClientCursor { created_at, key: ClientKey::from_bytes(key) });
    if let Format::Whole(whole) = Format::accepted(&parts.headers) {
        let asked = Arc::new((state, caller, filter));
        let page = move |after: ClientCursor, first: bool| {
            let asked = Arc::clone(&asked);
            async move {
                let (rows, next) = asked.0.service.list_clients(&asked.1, asked.2.clone(), after, export::PAGE).await?;
                let views: Vec<ClientView<'_>> = rows.iter().map(ClientView::of).collect();
                Ok((whole.write(&views, first), next))
            }
        };
        return export::whole(whole, "clients", after, page).await.map_err(problem::of(&parts));
    }
    let listed = state.service.list_clients(&caller, filter, after, page.limit).await;
    let (clients, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<ClientView<'_>> = clients.iter().map(ClientView::of).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.key.as_bytes()));
    Ok(page::respond(&parts.uri, page.limit, &views, next))
}

fn filter(query: &ListQuery) -> Result<ClientFilter, ApiFailure> {
    Ok(ClientFilter { text: query.text("q")?.unwrap_or_default(), introspect: query.flag("introspect")? })
}

/// Show a client
#[utoipa::path(get, path = "/admin/v1/clients/{client_id}", params(("client_id" = ClientId, Path)),
    responses((status = 200, description = "The client", body = ClientView<'static>)))]
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
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientEdit)]
struct EditBody {
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = ShownName, required = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Vec<GrantType>, required = false)]
    grant_types: Option<Vec<String>>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Scopes, required = false)]
    scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Vec<String>, required = false)]
    redirect_uris: Option<Vec<String>>,
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = bool, required = false)]
    introspect: Option<bool>,
}

/// Edit a client: what is left out stays as it is
#[utoipa::path(patch, path = "/admin/v1/clients/{client_id}", params(("client_id" = ClientId, Path)),
    request_body(content = EditBody, example = json!({ "name": "Orders 2" })),
    responses((status = 200, description = "As the client now is", body = ClientView<'static>), (status = 409)))]
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
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretRotate)]
struct RotateBody {
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Lifetime, required = false)]
    overlap: Option<Lifetime>,
}

/// Give a client a new secret
///
/// The one before it is accepted too for as long as the overlap says.
#[utoipa::path(post, path = "/admin/v1/clients/{client_id}/rotate-secret", params(("client_id" = ClientId, Path)),
    request_body(content = Option<RotateBody>, example = json!({ "overlap": "1h" })),
    responses((status = 200, description = "The client and its new secret", body = ClientWithSecret<'static>), (status = 409)))]
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
    Ok(etag::tag(no_store(&view), rotated.client.version))
}

/// Delete a client and everything that was issued to it
#[utoipa::path(delete, path = "/admin/v1/clients/{client_id}", params(("client_id" = ClientId, Path), DryRunQuery),
    responses(
        (status = 200, description = "Gone, on every node; or what would be", body = DeletedClient),
        (status = 409, description = "API tokens of this workspace are refreshed with this client"),
    ))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(client_id): Segment,
    parts: Parts,
) -> Answer {
    let deleted = state.service.delete_client(&caller, &client_id, dry_run).await.map_err(problem::of(&parts))?;
    Ok(revision::with(no_store(&deleted), deleted.revocation.map(|receipt| receipt.revision)))
}

fn shown(client: &Client) -> Response {
    etag::tag(no_store(&ClientView::of(client)), client.version)
}

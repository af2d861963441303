//! `/.well-known/…`: what this server can do (RFC 8414), and how its own API is protected (RFC 9728).

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::client::{AuthMethod, GrantType};
use crate::http::AppState;

/// What this server can do (RFC 8414 section 2).
#[derive(Serialize, ToSchema)]
#[schema(as = AuthorizationServer)]
struct AuthorizationServer<'a> {
    issuer: &'a str,
    token_endpoint: String,
    token_endpoint_auth_methods_supported: [AuthMethod; 3],
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: [AuthMethod; 3],
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: [AuthMethod; 2],
    grant_types_supported: [GrantType; 4],
    /// Without an authorization endpoint there is nothing to respond from; the member itself is required
    response_types_supported: [&'a str; 0],
}

/// How the API of this server is protected (RFC 9728 section 2).
#[derive(Serialize, ToSchema)]
#[schema(as = ProtectedResource)]
struct ProtectedResource<'a> {
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    bearer_methods_supported: [&'a str; 1],
    scopes_supported: [&'a str; 1],
    resource_name: &'a str,
}

/// What this server can do (RFC 8414)
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server",
    responses((status = 200, description = "Its metadata", body = AuthorizationServer<'static>)))]
pub(crate) async fn authorization_server(State(state): State<AppState>) -> Response {
    let issuer = &state.wire.issuer;
    public_json(&AuthorizationServer {
        issuer,
        token_endpoint: format!("{issuer}/oauth20/token"),
        token_endpoint_auth_methods_supported: AuthMethod::ALL,
        revocation_endpoint: format!("{issuer}/oauth20/revoke"),
        revocation_endpoint_auth_methods_supported: AuthMethod::ALL,
        introspection_endpoint: format!("{issuer}/oauth20/introspect"),
        introspection_endpoint_auth_methods_supported: [AuthMethod::Basic, AuthMethod::Post],
        grant_types_supported: GrantType::ALL,
        response_types_supported: [],
    })
}

/// How the API of this server is protected (RFC 9728)
#[utoipa::path(get, path = "/.well-known/oauth-protected-resource",
    responses((status = 200, description = "Its metadata", body = ProtectedResource<'static>)))]
pub(crate) async fn protected_resource(State(state): State<AppState>) -> Response {
    let issuer = &state.wire.issuer;
    public_json(&ProtectedResource {
        resource: issuer,
        authorization_servers: [issuer],
        bearer_methods_supported: ["header"],
        scopes_supported: ["introspect"],
        resource_name: "Jeton",
    })
}

fn public_json<T: Serialize>(body: &T) -> Response {
    let body = serde_json::to_vec(body).expect("metadata is plain data");
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

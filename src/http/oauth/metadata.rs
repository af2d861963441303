//! `/.well-known/…`: what this server can do (RFC 8414), and how its own API is protected (RFC 9728).

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::json;

use crate::domain::client::{AuthMethod, GrantType};
use crate::http::AppState;

pub(crate) async fn authorization_server(State(state): State<AppState>) -> Response {
    let issuer = &state.wire.issuer;
    let methods = AuthMethod::ALL.map(AuthMethod::as_str);
    let confidential = [AuthMethod::Basic, AuthMethod::Post].map(AuthMethod::as_str);
    public_json(&json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth20/token"),
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint": format!("{issuer}/oauth20/revoke"),
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint": format!("{issuer}/oauth20/introspect"),
        "introspection_endpoint_auth_methods_supported": confidential,
        "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
        // Without an authorization endpoint there is nothing to respond from; the member itself is required.
        "response_types_supported": [],
    }))
}

pub(crate) async fn protected_resource(State(state): State<AppState>) -> Response {
    let issuer = &state.wire.issuer;
    public_json(&json!({
        "resource": issuer,
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["introspect"],
        "resource_name": "Jeton",
    }))
}

fn public_json(body: &serde_json::Value) -> Response {
    let mut response = Response::new(body.to_string().into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

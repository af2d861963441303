//! The management listener: health, metrics, version. For the operator's network only.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::AppState;

/// The process runs.
pub(crate) async fn live() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "live" }))
}

/// Requests can be served: not shutting down, and the database answers.
pub(crate) async fn ready(State(state): State<AppState>) -> Response {
    if state.metrics.is_draining() {
        return json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "draining" }));
    }
    match state.service.store.head().await {
        Ok(revision) => json_response(StatusCode::OK, &json!({ "status": "ready", "revision": revision })),
        Err(error) => {
            tracing::warn!(error = ?error, "not ready: the database does not answer");
            json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "database unavailable" }))
        }
    }
}

pub(crate) async fn metrics(State(state): State<AppState>) -> Response {
    let mut response = Response::new(Body::from(state.metrics.encode(&state.service)));
    let text = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

pub(crate) async fn version(State(state): State<AppState>) -> Response {
    let database = state.service.store.backend_name();
    json_response(StatusCode::OK, &json!({ "version": env!("CARGO_PKG_VERSION"), "database": database }))
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

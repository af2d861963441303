//! The management listener: health, metrics, version. For the operator's network only.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use crate::domain::clock::Timestamp;
use crate::domain::grant::Revision;

/// The state of the process.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct Health {
    #[schema(examples("ready"))]
    status: &'static str,
    /// The position in the log of revocations
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<Revision>,
}

impl Health {
    const fn of(status: &'static str) -> Self {
        Self { status, revision: None }
    }
}

/// What runs.
#[derive(Serialize, ToSchema)]
struct Version {
    version: &'static str,
    /// `sqlite` or `postgres`
    database: &'static str,
    /// When the process began to serve
    started_at: Timestamp,
}

/// The process runs
#[utoipa::path(get, path = "/health/live", responses((status = 200, description = "It does", body = Health)))]
pub(crate) async fn live() -> Response {
    json_response(StatusCode::OK, &Health::of("live"))
}

/// Requests can be served: not shutting down, and the database answers
#[utoipa::path(get, path = "/health/ready", responses(
    (status = 200, description = "They can", body = Health), (status = 503, description = "They can't", body = Health),
))]
pub(crate) async fn ready(State(state): State<AppState>) -> Response {
    if state.metrics.is_draining() {
        return json_response(StatusCode::SERVICE_UNAVAILABLE, &Health::of("draining"));
    }
    match state.service.store.head().await {
        Ok(revision) => json_response(StatusCode::OK, &Health { status: "ready", revision: Some(revision) }),
        Err(error) => {
            tracing::warn!(error = ?error, "not ready: the database does not answer");
            json_response(StatusCode::SERVICE_UNAVAILABLE, &Health::of("database unavailable"))
        }
    }
}

/// Counters and histograms (OpenMetrics)
#[utoipa::path(get, path = "/metrics",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(state): State<AppState>) -> Response {
    let mut response = Response::new(Body::from(state.metrics.encode(&state.service)));
    let text = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// What runs
#[utoipa::path(get, path = "/version", responses((status = 200, description = "Its version", body = Version)))]
pub(crate) async fn version(State(state): State<AppState>) -> Response {
    let database = state.service.store.backend_name();
    let started_at = state.wire.started_at;
    json_response(StatusCode::OK, &Version { version: env!("CARGO_PKG_VERSION"), database, started_at })
}

fn json_response<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let body = serde_json::to_vec(body).expect("a state is plain data");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

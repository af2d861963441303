//! The service behind a gateway: it says what has reached it, and echoes what comes over a WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::task::AbortHandle;

/// The example of RFC 6455 §1.3.
pub const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const WEBSOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub struct Upstream {
    pub address: SocketAddr,
    requests: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicU64::new(0));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&requests));
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, requests, task: task.abort_handle() }
    }

    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(requests): State<Arc<AtomicU64>>, request: Request) -> Response {
    requests.fetch_add(1, Ordering::Relaxed);
    if request.headers().get("sec-websocket-key").is_some_and(|key| key == WEBSOCKET_KEY) {
        return websocket(request);
    }
    let headers = request.headers().iter();
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let target = request.uri().to_string();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    Json(json!({ "target": target, "headers": headers, "body_bytes": body.len() })).into_response()
}

/// Frames are not looked at: whatever comes goes back.
fn websocket(mut request: Request) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgrade.await.unwrap()));
        tokio::io::copy(&mut read, &mut write).await
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert("sec-websocket-accept", HeaderValue::from_static(WEBSOCKET_ACCEPT));
    response
}

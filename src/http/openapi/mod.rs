//! The OpenAPI document and the page that shows it. What a handler takes and answers is said beside it; what follows from its line in
//! the table of routes (who may call, how a refusal looks, names and tags) is added here, where it can't be forgotten.

mod answers;
mod description;
mod document;
mod links;
pub(crate) mod page;
pub(crate) mod texts;
mod values;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;

pub(super) use description::{Description, describe};
pub use document::document;

use super::AppState;

/// The OpenAPI document of this service
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn show(State(state): State<AppState>) -> Response {
    // Made when somebody asks: a start does not wait for it.
    let text =
        state.wire.openapi.get_or_init(|| serde_json::to_vec(&document()).expect("a document is plain data").into());
    let mut response = Response::new(text.clone().into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

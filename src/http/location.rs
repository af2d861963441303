//! `Location` of what was made.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Adds the path of a resource: its collection, and its id as one encoded segment.
pub(crate) fn add(mut response: Response, collection: &str, id: &str) -> Response {
    let encoded: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    if let Ok(location) = HeaderValue::try_from(format!("{collection}/{}", encoded.replace('+', "%20"))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

//! `Location` of what was made.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// Adds the path of a resource: its collection, and its id as one encoded segment.
pub(crate) fn add(mut response: Response, collection: &str, id: &str) -> Response {
    if let Ok(location) = HeaderValue::try_from(format!("{collection}/{}", segment(id))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// A text as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

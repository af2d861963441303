//! The `Idempotency-Key` header of creates, and the mark on an answer that is a repeat.

use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::Response;

use crate::service::error::ApiFailure;
use crate::service::idempotency::IdempotencyKey;

/// # Errors
/// [`ApiFailure::Invalid`] for a key that is empty, too long, repeated or not visible ASCII.
pub(crate) fn key(parts: &Parts) -> Result<Option<IdempotencyKey>, ApiFailure> {
    let mut values = parts.headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let read = value.to_str().ok().filter(|_| values.next().is_none()).and_then(|text| text.parse().ok());
    let bad = || ApiFailure::field("Idempotency-Key", "is 1 to 255 visible ASCII characters, given once");
    read.map(Some).ok_or_else(bad)
}

/// Tells that nothing new was made.
pub(crate) fn mark(mut response: Response, repeated: bool) -> Response {
    if repeated {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}

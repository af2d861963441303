//! JSON bodies of the REST endpoints: strict, with the offending field named.

use axum::body::Body;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::AppState;
use super::context::RequestInfo;
use super::{form, problem};
use crate::service::error::FieldError;

/// Reads a JSON object into `T`.
///
/// # Errors
/// The problem response: 415, 413, or 400 with a pointer to the field.
pub(crate) async fn read<T: DeserializeOwned>(parts: &Parts, body: Body, state: &AppState) -> Result<T, Response> {
    let info = parts.extensions.get::<RequestInfo>();
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(problem::respond(problem::UNSUPPORTED, info, "the body must be application/json", &[]));
    }
    let body = form::read_body(body, state.wire.settings.max_body_bytes).await.map_err(|unreadable| {
        let kind = if unreadable.status.as_u16() == 413 { problem::TOO_LARGE } else { problem::INVALID };
        problem::respond(kind, info, unreadable.error.description, &[])
    })?;
    let mut deserializer = serde_json::Deserializer::from_slice(&body);
    let read: Result<T, _> = serde_path_to_error::deserialize(&mut deserializer);
    let value = read.map_err(|error| {
        let (pointer, detail) = (pointer(error.path()), plain(&error.inner().to_string()));
        problem::respond(problem::INVALID, info, detail.clone(), &[FieldError::new(pointer, detail)])
    })?;
    match deserializer.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(problem::respond(problem::INVALID, info, plain(&error.to_string()), &[])),
    }
}

/// Reads a body that may be left out.
///
/// # Errors
/// As [`read`], for a body that is there.
pub(crate) async fn read_optional<T: DeserializeOwned + Default>(
    parts: &Parts,
    body: Body,
    state: &AppState,
) -> Result<T, Response> {
    if parts.headers.contains_key(header::CONTENT_TYPE) { read(parts, body, state).await } else { Ok(T::default()) }
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut pointer, segment| {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => {
                pointer.pop();
            }
        }
        pointer
    })
}

/// Without the place in the text, which means nothing to who sent an object.
fn plain(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

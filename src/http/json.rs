//! JSON bodies of the REST endpoints: strict, with the offending field named.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::Response;
use hyper::body::Body as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::AppState;
use super::context::RequestInfo;
use super::{form, media_type, problem};
use crate::service::error::FieldError;

/// Reads a JSON object into `T`.
///
/// # Errors
/// The problem response: 415, 413, or 400 with a pointer to the field.
pub(crate) async fn read<T: DeserializeOwned>(parts: &Parts, body: Body, state: &AppState) -> Result<T, Response> {
    let info = parts.extensions.get::<RequestInfo>();
    let merge_patch = parts.method == Method::PATCH && media_type::is(&parts.headers, "application/merge-patch+json");
    if !merge_patch && !media_type::is(&parts.headers, "application/json") {
        let detail = "the body must be application/json, given once and not encoded";
        return Err(problem::respond(problem::UNSUPPORTED, info, detail, &[]));
    }
    let body = form::read_body(body, state.wire.limits.max_body_bytes()).await.map_err(|unreadable| {
        let kind = match unreadable.status.as_u16() {
            408 => problem::TIMEOUT,
            413 => problem::TOO_LARGE,
            _ => problem::INVALID,
        };
        problem::respond(kind, info, unreadable.error.description, &[])
    })?;
    // A struct could be read from an array too, by position.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(problem::respond(problem::INVALID, info, "a JSON object is expected", &[]));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(&body);
    let read: Result<T, _> = serde_path_to_error::deserialize(&mut deserializer);
    let value = read.map_err(|error| {
        let detail = plain(&error.inner().to_string());
        let pointer = pointer_to_field(&pointer(error.path()), &detail);
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
    // Without a length and without a type there is nothing; with either it must be readable.
    let absent = body.is_end_stream() && !parts.headers.contains_key(header::CONTENT_TYPE);
    if absent { Ok(T::default()) } else { read(parts, body, state).await }
}

/// A member of a merge patch (RFC 7396) that null removes: `None` when it is left out. For `deserialize_with`.
pub(crate) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// A member that may be left out and can't be null. For `deserialize_with`.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
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

/// A field that is missing or repeated is named in the message only.
fn pointer_to_field(parent: &str, detail: &str) -> String {
    let named = detail.strip_prefix("missing field `").or_else(|| detail.strip_prefix("duplicate field `"));
    match named.and_then(|rest| rest.split_once('`')) {
        Some((name, _)) if !parent.ends_with(&format!("/{name}")) => format!("{parent}/{name}"),
        _ => parent.chars().take(MAX_ECHO_CHARS).collect(),
    }
}

/// Without the place in the text, which means nothing to who sent an object, and without more of it than helps.
fn plain(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).chars().take(MAX_ECHO_CHARS).collect()
}

/// How much of what a caller sent is repeated back.
const MAX_ECHO_CHARS: usize = 200;

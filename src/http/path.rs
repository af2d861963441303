//! What stands in the URL of a REST request besides lists: one segment, and no query.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::Response;

use super::context::RequestInfo;
use super::{AppState, problem};
use crate::service::error::FieldError;

/// The one variable segment of the path, decoded. What can't be decoded names nothing.
pub(crate) struct Segment(pub String);

impl FromRequestParts<AppState> for Segment {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(_) => Err(problem::respond(
                problem::NOT_FOUND,
                parts.extensions.get::<RequestInfo>(),
                "the path is not valid percent-encoded UTF-8",
                &[],
            )),
        }
    }
}

/// Proof that the URL has no query: a parameter that is not known must not be ignored where something is changed.
pub(crate) struct NoQuery;

impl FromRequestParts<AppState> for NoQuery {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Response> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let Some((name, _)) = form_urlencoded::parse(query).next() else {
            return Ok(Self);
        };
        let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_ECHO_CHARS).collect();
        let error = FieldError::new(format!("?{name}"), "is not a parameter of this request");
        let info = parts.extensions.get::<RequestInfo>();
        Err(problem::respond(problem::INVALID, info, "the URL has a parameter that is not known", &[error]))
    }
}

/// How much of what a caller sent is repeated back.
const MAX_ECHO_CHARS: usize = 100;

//! Errors of the REST endpoints as problem details (RFC 9457).

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::context::RequestInfo;
use super::oauth_error::retry_after;
use crate::service::error::{ApiFailure, FieldError};

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    #[schema(examples("urn:jeton:problem:invalid_request"))]
    r#type: String,
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong with this request
    detail: String,
    #[schema(examples("invalid_request"))]
    code: &'static str,
    /// Stands in X-Request-Id too
    request_id: &'a str,
    /// Fields that can't be accepted, all of them
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
    /// What the caller can do
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

/// The kinds of problem: status, code, title and what the caller can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    hint: Option<&'static str>,
}

macro_rules! kinds {
    ($($name:ident = $status:ident $code:literal $title:literal $hint:expr;)*) => {
        $(pub(crate) const $name: Kind =
            Kind { status: StatusCode::$status, code: $code, title: $title, hint: $hint };)*

        /// Status, code and title of every kind.
        #[must_use]
        pub fn kinds() -> Vec<(u16, &'static str, &'static str)> {
            [$($name),*].map(|kind| (kind.status.as_u16(), kind.code, kind.title)).to_vec()
        }
    };
}

kinds! {
    INVALID = BAD_REQUEST "invalid_request" "The request can't be accepted" None;
    UNAUTHORIZED = UNAUTHORIZED "unauthorized" "A valid token is required"
        Some("send Authorization: Bearer, or api-key, with a token or key of yours");
    FORBIDDEN = FORBIDDEN "forbidden" "This is not allowed to the caller" None;
    NOT_FOUND = NOT_FOUND "not_found" "There is nothing here" None;
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method_not_allowed" "This method is not allowed here"
        Some("the Allow header names the methods that are");
    CONFLICT = CONFLICT "conflict" "The current state does not allow this" None;
    GONE = GONE "gone" "It is no longer there"
        Some("begin anew: without the cursor, the list begins with the oldest that is kept");
    TIMEOUT = REQUEST_TIMEOUT "timeout" "The request did not arrive in time" None;
    PRECONDITION_FAILED = PRECONDITION_FAILED "precondition_failed" "The resource was changed since"
        Some("read it again, and repeat the edit on what it is now");
    PRECONDITION_REQUIRED = PRECONDITION_REQUIRED "precondition_required" "The edit must name the version it was made on"
        Some("send If-Match with the ETag of the resource");
    TOO_LARGE = PAYLOAD_TOO_LARGE "too_large" "The request is too large" None;
    UNSUPPORTED = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "The body has the wrong type"
        Some("send application/json");
    KEY_REUSED = UNPROCESSABLE_ENTITY "idempotency_key_reused" "The Idempotency-Key belongs to another request"
        Some("use a new key for a new request, and the same key only to repeat one");
    LIMITED = TOO_MANY_REQUESTS "rate_limited" "Too many requests" None;
    UNAVAILABLE = SERVICE_UNAVAILABLE "temporarily_unavailable" "The service can't do this now"
        Some("try again after the time in Retry-After; nothing is known to have changed");
    INTERNAL = INTERNAL_SERVER_ERROR "internal_error" "The service has failed"
        Some("report the request_id to the operator");
}

/// Makes the response of a problem.
pub(crate) fn respond(
    kind: Kind,
    info: Option<&RequestInfo>,
    detail: impl Into<String>,
    errors: &[FieldError],
) -> Response {
    let problem = Problem {
        r#type: format!("urn:jeton:problem:{}", kind.code),
        title: kind.title,
        status: kind.status.as_u16(),
        detail: detail.into(),
        code: kind.code,
        request_id: info.map_or("", RequestInfo::id_text),
        errors,
        hint: kind.hint,
    };
    let body = serde_json::to_vec(&problem).expect("a problem is plain data");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = kind.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Turns the failure of a use case into the response to this request.
pub(crate) fn of(parts: &Parts) -> impl FnOnce(ApiFailure) -> Response + '_ {
    |error| failure(&error, parts.extensions.get::<RequestInfo>())
}

/// The response of a use case that failed. Logs what the operator must know.
pub(crate) fn failure(failure: &ApiFailure, info: Option<&RequestInfo>) -> Response {
    match failure {
        ApiFailure::Invalid(errors) => respond(INVALID, info, failure.to_string(), errors),
        ApiFailure::Forbidden(_) => respond(FORBIDDEN, info, failure.to_string(), &[]),
        ApiFailure::NotFound(_) => respond(NOT_FOUND, info, failure.to_string(), &[]),
        ApiFailure::Conflict(_) => respond(CONFLICT, info, failure.to_string(), &[]),
        ApiFailure::Gone(_) => respond(GONE, info, failure.to_string(), &[]),
        ApiFailure::KeyReused => respond(KEY_REUSED, info, failure.to_string(), &[]),
        ApiFailure::Throttled { retry_after_s } => {
            let mut response = respond(LIMITED, info, failure.to_string(), &[]);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_s));
            response
        }
        ApiFailure::PreconditionRequired => respond(PRECONDITION_REQUIRED, info, failure.to_string(), &[]),
        ApiFailure::PreconditionFailed { .. } => respond(PRECONDITION_FAILED, info, failure.to_string(), &[]),
        ApiFailure::Password(error) => {
            let id = info.map_or("", RequestInfo::id_text);
            tracing::warn!(request.id = id, error = ?error, "a password could not be hashed or checked");
            let mut response = respond(UNAVAILABLE, info, error.to_string(), &[]);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
            response
        }
        ApiFailure::Store(error) => {
            let id = info.map_or("", RequestInfo::id_text);
            tracing::warn!(request.id = id, error = ?error, "the database could not serve a request");
            let mut response = respond(UNAVAILABLE, info, "the database can't serve this now", &[]);
            response.headers_mut().insert(header::RETRY_AFTER, retry_after(error));
            response
        }
    }
}

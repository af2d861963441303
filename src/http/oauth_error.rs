//! Errors of the OAuth endpoints as JSON (RFC 6749 §5.2), with the request id in the body.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::AppState;
use super::context::RequestInfo;
use super::form::UnreadableForm;
use crate::service::error::{OAuthCode, OAuthError, OAuthFailure};
use crate::store::StoreError;

/// An error of the OAuth endpoints (RFC 6749 section 5.2).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub(crate) struct OAuthErrorBody<'a> {
    #[schema(examples("invalid_request"))]
    pub error: &'a str,
    /// For the developer who reads it
    pub error_description: &'a str,
    /// Stands in X-Request-Id too
    pub request_id: &'a str,
}

/// What an error answer needs to know of its request.
#[derive(Clone, Debug)]
pub(crate) struct Answering<'a> {
    pub state: &'a AppState,
    pub info: Option<RequestInfo>,
    /// The client used the `Authorization` header.
    pub by_header: bool,
}

impl Answering<'_> {
    pub(crate) fn failure(&self, failure: &OAuthFailure) -> Response {
        match failure {
            OAuthFailure::Refused(error) => self.refusal(error),
            OAuthFailure::Store(error) => self.store(error),
        }
    }

    pub(crate) fn unreadable(&self, unreadable: &UnreadableForm) -> Response {
        self.json(unreadable.status, unreadable.error.code.as_str(), &unreadable.error.description)
    }

    pub(crate) fn refusal(&self, error: &OAuthError) -> Response {
        if error.code != OAuthCode::InvalidClient {
            return self.json(StatusCode::BAD_REQUEST, error.code.as_str(), &error.description);
        }
        let mut response = self.json(StatusCode::UNAUTHORIZED, error.code.as_str(), &error.description);
        // RFC 9110 §15.5.2 wants a challenge with every 401, also where the client used the body.
        let challenge = self.state.wire.basic_challenge.clone();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        debug_assert!(self.by_header || error.code == OAuthCode::InvalidClient);
        response
    }

    pub(crate) fn store(&self, error: &StoreError) -> Response {
        tracing::warn!(request.id = self.request_id(), error = ?error, "the database could not serve a request");
        let description = "the service can't decide this now; nothing was changed, or it is not known; try again";
        let mut response = self.json(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description);
        response.headers_mut().insert(header::RETRY_AFTER, retry_after(error));
        response
    }

    pub(crate) fn json(&self, status: StatusCode, error: &str, description: &str) -> Response {
        let body = OAuthErrorBody { error, error_description: description, request_id: self.request_id() };
        let body = serde_json::to_vec(&body).expect("an error is plain data");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn request_id(&self) -> &str {
        self.info.as_ref().map_or("", RequestInfo::id_text)
    }
}

pub(crate) fn retry_after(error: &StoreError) -> HeaderValue {
    HeaderValue::from(error.retry_after().as_secs())
}

/// A typed answer that holds a token or a decision about one: never cached.
pub(crate) fn no_store<T: Serialize>(body: &T) -> Response {
    no_store_json(serde_json::to_vec(body).expect("an answer is plain data"))
}

/// A JSON answer that holds a token or a decision about one: never cached.
pub(crate) fn no_store_json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // RFC 6749 §5.1 asks for it beside Cache-Control.
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

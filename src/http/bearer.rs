//! How refusals of the bearer middleware look on this server's own endpoints.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use jeton_guard::{Challenge, Refusal, Responder};

use super::context::RequestInfo;
use super::oauth_error::{Answering, OAuthErrorBody};
use super::{AppState, problem, refusals};
use crate::service::error::{OAuthCode, OAuthError};

/// OAuth errors as JSON, for `/oauth20/…`.
#[derive(Clone, Debug)]
pub(crate) struct OAuthResponder(pub AppState);

/// Problem details, for `/api/…` and `/admin/…`.
#[derive(Clone, Debug)]
pub(crate) struct ProblemResponder(pub AppState);

/// A responder of this server: it refuses requests for more than their credential.
pub(crate) trait Refuse: Responder<Body> {
    /// The request can't be accepted: 400.
    fn invalid(&self, detail: &'static str, request: &Parts) -> Response;
}

impl Refuse for OAuthResponder {
    fn invalid(&self, detail: &'static str, request: &Parts) -> Response {
        let answering = Answering { state: &self.0, info: request.extensions.get().cloned(), by_header: false };
        answering.refusal(&OAuthError::new(OAuthCode::InvalidRequest, detail))
    }
}

impl Refuse for ProblemResponder {
    fn invalid(&self, detail: &'static str, request: &Parts) -> Response {
        problem::respond(problem::INVALID, request.extensions.get(), detail, &[])
    }
}

impl Responder<Body> for OAuthResponder {
    fn refuse(&self, refusal: &Refusal, _: &Challenge, request: &Parts) -> Response {
        respond(&self.0, refusal, request)
    }
}

/// The refusal of one request, for handlers that judge a token themselves.
pub(crate) fn respond(state: &AppState, refusal: &Refusal, request: &Parts) -> Response {
    refusals::note(state, refusal, request);
    let (challenge, info) = (&state.wire.challenge, request.extensions.get::<RequestInfo>());
    let body = OAuthErrorBody {
        error: refusal.error().unwrap_or("unauthorized"),
        error_description: description(refusal),
        request_id: info.map_or("", RequestInfo::id_text),
    };
    let mut response = Response::new(Body::from(serde_json::to_vec(&body).expect("an error is plain data")));
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    finish(&mut response, refusal, challenge);
    response
}

impl Responder<Body> for ProblemResponder {
    fn refuse(&self, refusal: &Refusal, challenge: &Challenge, request: &Parts) -> Response {
        refusals::note(&self.0, refusal, request);
        let kind = match refusal {
            Refusal::Missing | Refusal::InvalidToken(_) => problem::UNAUTHORIZED,
            Refusal::Malformed(_) => problem::INVALID,
            Refusal::InsufficientScope { .. } => problem::FORBIDDEN,
            Refusal::LimitExceeded { .. } => problem::LIMITED,
            Refusal::Unavailable(_) => problem::UNAVAILABLE,
        };
        let mut response = problem::respond(kind, request.extensions.get(), description(refusal), &[]);
        finish(&mut response, refusal, challenge);
        response
    }
}

fn description(refusal: &Refusal) -> &'static str {
    refusal.description().unwrap_or("a token is required: send it as Authorization: Bearer, or as api-key")
}

fn finish(response: &mut Response, refusal: &Refusal, challenge: &Challenge) {
    if let Some(challenge) = challenge.header(refusal) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = refusal.retry_after_s() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Refusal::LimitExceeded { limits, .. } = refusal {
        limits.write(response.headers_mut());
    }
}

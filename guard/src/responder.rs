//! Owns the response that a refused request gets.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Response};
use serde::Serialize;

use crate::challenge::Challenge;
use crate::refusal::Refusal;

/// Turns a refusal into a response with a body of type `B`.
///
/// A service brings its own to answer in its own error format:
///
/// ```
/// use http::{Response, header::WWW_AUTHENTICATE, request::Parts};
/// use jeton_guard::{Challenge, Refusal, Responder};
///
/// #[derive(Clone)]
/// struct RequestId(String);
///
/// #[derive(Clone)]
/// struct Plain;
///
/// impl Responder<String> for Plain {
///     fn refuse(&self, refusal: &Refusal, challenge: &Challenge, request: &Parts) -> Response<String> {
///         let id = request.extensions.get::<RequestId>().map_or("-", |id| &id.0);
///         let mut response = Response::new(format!("{refusal} ({id})"));
///         *response.status_mut() = refusal.status();
///         if let Some(header) = challenge.header(refusal) {
///             response.headers_mut().insert(WWW_AUTHENTICATE, header);
///         }
///         response
///     }
/// }
/// ```
pub trait Responder<B>: Clone + Send + Sync + 'static {
    /// The response to a refused request. `request` is all of it but the body; its extensions are those that outer layers
    /// have set, and its headers may hold the credential.
    fn refuse(&self, refusal: &Refusal, challenge: &Challenge, request: &Parts) -> Response<B>;
}

/// Answers in the JSON of RFC 6749 §5.2: `{"error":"…","error_description":"…"}`.
///
/// With it go `WWW-Authenticate`, `Retry-After`, `Cache-Control: no-store` and, for a used up limit, `RateLimit`
/// (draft-ietf-httpapi-ratelimit-headers). RFC 6750 §3.1 wants no error code where nothing was presented; that is about the
/// challenge, and a body without one helps nobody, so there the body says `unauthorized`.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use jeton_guard::{Challenge, JsonResponder, Refusal, Responder};
///
/// let (request, ()) = Request::new(()).into_parts();
/// let answer: Response<Bytes> = JsonResponder.refuse(&Refusal::Missing, &Challenge::new("orders"), &request);
/// assert_eq!(answer.status(), 401);
/// assert_eq!(answer.headers()["content-type"], "application/json");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonResponder;

impl<B: From<Bytes>> Responder<B> for JsonResponder {
    fn refuse(&self, refusal: &Refusal, challenge: &Challenge, _request: &Parts) -> Response<B> {
        let body = Body {
            error: refusal.error().unwrap_or("unauthorized"),
            error_description: refusal
                .description()
                .unwrap_or("A credential is required. Send a token as Authorization: Bearer, or as X-API-Key."),
        };
        let body = serde_json::to_vec(&body).expect("two strings always serialize");
        let mut response = Response::new(B::from(Bytes::from(body)));
        *response.status_mut() = refusal.status();

        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = challenge.header(refusal) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = refusal.retry_after_s() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Refusal::LimitExceeded { limits, .. } = refusal {
            limits.write(headers);
        }
        response
    }
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::limits::Limit;
    use crate::validator::{Inactive, Unavailable};

    fn refuse(refusal: &Refusal) -> Response<Bytes> {
        let (request, ()) = Request::new(()).into_parts();
        JsonResponder.refuse(refusal, &Challenge::new("example"), &request)
    }

    #[test]
    fn the_body_is_json_with_code_and_sentence() {
        assert_eq!(
            refuse(&Inactive::Revoked.into()).body(),
            r#"{"error":"invalid_token","error_description":"The access token has been revoked."}"#
        );
    }

    #[test]
    fn a_missing_credential_has_a_body_that_says_what_to_send() {
        let response = refuse(&Refusal::Missing);
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["error"], "unauthorized");
        assert!(body["error_description"].as_str().unwrap().contains("Authorization: Bearer"));
        assert_eq!(response.headers()[WWW_AUTHENTICATE], r#"Bearer realm="example""#);
    }

    #[test]
    fn no_refusal_may_be_stored() {
        let response = refuse(&Refusal::Missing);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn a_used_up_limit_says_which_and_when_to_come_again() {
        let gold = Limit { policy: "gold".to_owned(), quota: 2, window_s: 34, remaining: 0, reset_s: 34 };
        let response = refuse(&Refusal::LimitExceeded { retry_after_s: 17, limits: [gold].into_iter().collect() });
        assert_eq!(response.headers()[RETRY_AFTER], "17");
        assert_eq!(response.headers()["ratelimit-policy"], "\"gold\";q=2;w=34");
        assert_eq!(response.headers()["ratelimit"], "\"gold\";r=0;t=34");
    }

    #[test]
    fn an_outage_says_when_to_try_again() {
        let response = refuse(&Unavailable { retry_after_s: 3 }.into());
        assert_eq!(response.headers()[RETRY_AFTER], "3");
        assert!(!response.headers().contains_key("ratelimit"));
        assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    }
}

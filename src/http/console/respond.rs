//! The answers of pages: HTML, or where to go next; and the headers that all of them have.

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::csrf::ProtectionError;

use super::{failure, gate};

/// Nothing but this server's own files, no script or style inside pages, no frames around them.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

pub(super) fn html(template: &impl Template) -> Response {
    html_with(StatusCode::OK, template)
}

pub(super) fn html_with(status: StatusCode, template: &impl Template) -> Response {
    let text = template.render().expect("templates write to memory and name only what is there");
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// After a form: the page to show next, which may be reloaded.
pub(super) fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let path = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/console"));
    response.headers_mut().insert(header::LOCATION, path);
    response
}

pub(super) fn set_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Whether a path that a form or link names is one of the console's own.
pub(super) fn is_own_path(path: &str) -> bool {
    let inside = path == "/console" || path.starts_with("/console/") || path.starts_with("/console?");
    inside && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && !path.contains("//")
}

/// The outermost layer of every page: its headers; and the page of a form that another site has sent.
pub(in crate::http) async fn frame(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let page = gate::page_of(&parts);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if response.extensions().get::<ProtectionError>().is_some() {
        response = failure::other_site(&page);
    }
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    no_store(headers);
    response
}

fn no_store(headers: &mut HeaderMap) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_console_are_returned_to() {
        for good in ["/console", "/console/tokens", "/console/tokens?status=active&q=a%20b", "/console?x=1"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "//evil.test",
            "/console//evil",
            "https://evil.test",
            "/consolex",
            "/console/\\evil",
            "/console/\n",
        ] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}

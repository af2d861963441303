//! `/docs/api`: a page that shows the OpenAPI document and tries it out. All of it is served from the binary.

use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::http::path::Segment;
use crate::http::{Answer, problem};

/// The page of this API
#[utoipa::path(get, path = "/docs/api", responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn show() -> Response {
    file(Body::from(PAGE), "text/html; charset=utf-8")
}

/// A part of the page of this API
#[utoipa::path(get, path = "/docs/api/{file}", responses((status = 200), (status = 404)))]
pub(crate) async fn part(Segment(name): Segment, request: Parts) -> Answer {
    if name == "start.js" {
        return Ok(file(Body::from(START), "text/javascript; charset=utf-8"));
    }
    let parts = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];
    let config = Arc::new(utoipa_swagger_ui::Config::default());
    let found =
        parts.contains(&name.as_str()).then(|| utoipa_swagger_ui::serve(&name, config).ok().flatten()).flatten();
    let Some(found) = found else {
        return Err(problem::respond(problem::NOT_FOUND, request.extensions.get(), "the page has no such part", &[]));
    };
    let mut response = file(Body::from(found.bytes.into_owned()), &found.content_type);
    if found.gzpipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

fn file(body: Body, content_type: &str) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    protect(headers);
    response
}

/// Nothing from elsewhere, in no frame: the page handles tokens that somebody pastes into it.
fn protect(headers: &mut HeaderMap) {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                  form-action 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

const PAGE: &str = "<!DOCTYPE html>\n\
<html lang=\"en\">\n\
<head>\n\
<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
<title>Jeton API</title>\n\
<link rel=\"icon\" type=\"image/png\" href=\"/docs/api/favicon-32x32.png\">\n\
<link rel=\"stylesheet\" href=\"/docs/api/swagger-ui.css\">\n\
</head>\n\
<body>\n\
<main id=\"api\"><noscript>The same as <a href=\"/openapi.json\">OpenAPI 3.1</a>.</noscript></main>\n\
<script src=\"/docs/api/swagger-ui-bundle.js\"></script>\n\
<script src=\"/docs/api/start.js\"></script>\n\
</body>\n\
</html>\n";

/// No badge of a validator elsewhere; a token that was typed in is forgotten with the page.
const START: &str = "SwaggerUIBundle({ url: \"/openapi.json\", dom_id: \"#api\", deepLinking: true, validatorUrl: null, \
persistAuthorization: false, docExpansion: \"none\" });\n";

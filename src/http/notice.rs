//! Tells whoever uses a token of an older system that it goes away: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and a
//! link to what to do instead.

use std::time::{Duration, UNIX_EPOCH};

use axum::extract::Request;
use axum::http::header::{HeaderName, LINK};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::service::legacy::Notice;
use crate::service::live_token::LiveToken;
use crate::service::validate::Validated;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Adds the headers, if `token` is such a token.
pub(super) fn add(mut response: Response, token: &LiveToken) -> Response {
    if let Some(notice) = &token.notice {
        put(response.headers_mut(), notice);
    }
    response
}

/// Does the same for every route behind the bearer middleware.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    let imported = request.extensions().get::<Validated>().filter(|validated| validated.token().notice.is_some());
    let imported = imported.cloned();
    let response = next.run(request).await;
    match imported {
        Some(validated) => add(response, validated.token()),
        None => response,
    }
}

fn put(headers: &mut HeaderMap, notice: &Notice) {
    // RFC 9651 §3.3.7: a date is an integer of seconds behind `@`.
    let deprecation = HeaderValue::try_from(format!("@{}", notice.deprecated_at.seconds()));
    let sunset = Duration::from_secs(notice.sunset.seconds().max(0).cast_unsigned());
    let sunset = HeaderValue::try_from(httpdate::fmt_http_date(UNIX_EPOCH + sunset));
    headers.insert(DEPRECATION, deprecation.expect("a number is printable"));
    headers.insert(SUNSET, sunset.expect("a date is printable"));
    let link = notice.link.as_ref().map(|link| HeaderValue::try_from(format!("<{link}>; rel=\"deprecation\"")));
    if let Some(Ok(link)) = link {
        headers.append(LINK, link);
    }
}

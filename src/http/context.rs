//! What is known of a request before its handler runs: its id, and who sent it.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Version, header};

use super::AppState;
use crate::service::RequestContext;

/// Put into every request by the server.
#[derive(Clone, Debug)]
pub(crate) struct RequestInfo {
    pub id: HeaderValue,
    pub peer: IpAddr,
}

impl RequestInfo {
    pub(crate) fn id_text(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }
}

/// Longer ids, or other characters, are not taken over from the caller: they end up in logs.
const MAX_ID_CHARS: usize = 128;

pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The caller's `X-Request-Id`, if it is one that may be logged.
pub(crate) fn sane_request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    let id = headers.get(&REQUEST_ID)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/' | b'=');
    let sane = (1..=MAX_ID_CHARS).contains(&id.len()) && id.as_bytes().iter().all(plain);
    sane.then_some(id)
}

/// The context that use cases take.
pub(crate) struct Context(pub RequestContext);

impl FromRequestParts<AppState> for Context {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Self::Rejection> {
        Ok(Self(of(parts, state)))
    }
}

pub(crate) fn of(parts: &Parts, state: &AppState) -> RequestContext {
    let info = parts.extensions.get::<RequestInfo>();
    // An IPv4 peer of a dual-stack listener is written as IPv6.
    let peer = info.map(|info| info.peer.to_canonical());
    let forwarded = peer.filter(|peer| state.wire.limits.trusts_proxy(*peer)).and_then(|_| {
        // The last entry is the one that the trusted proxy itself has added.
        let text = parts.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        text.rsplit(',').next()?.trim().parse().ok()
    });
    RequestContext {
        request_id: info.map(|info| info.id_text().to_owned()).unwrap_or_default(),
        client_ip: forwarded.or(peer),
        domain: host(parts.headers.get(header::HOST)),
        locale: parts.headers.get(header::ACCEPT_LANGUAGE).and_then(first_language),
    }
}

/// A host name or address with its port, if that is what it looks like.
fn host(value: Option<&HeaderValue>) -> Option<String> {
    let text = value?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    ((1..=255).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

/// RFC 9112 §3.2: a request of HTTP/1.1 has exactly one `Host`.
pub(crate) fn names_one_host(version: Version, headers: &HeaderMap) -> bool {
    version != Version::HTTP_11 || headers.get_all(header::HOST).iter().count() == 1
}

fn first_language(value: &HeaderValue) -> Option<String> {
    let tag = value.to_str().ok()?.split([',', ';']).next()?.trim();
    let plain = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && (2..=35).contains(&tag.len())).then(|| tag.to_owned())
}

//! Query strings and pages of lists: every parameter known, `limit` bounded, the cursor opaque.

use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::oauth_error::no_store;
use crate::domain::clock::Timestamp;
use crate::service::error::{ApiFailure, FieldError};

/// Rows of one page where none are asked for, and at most.
const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

/// What every list takes in its URL.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what PageRequest reads")]
pub(crate) struct PageQuery {
    /// Rows of the page
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before
    #[param(pattern = "^([A-Za-z0-9_-]{32})?$")]
    cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<'a, T> {
    pub data: &'a [T],
    /// Where the next page begins; null on the last one, which alone says that there are no more rows: a page that few of many rows fit may have none
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageRequest {
    pub limit: u32,
    /// Time and id of the last row of the page before.
    pub after: Option<(Timestamp, [u8; 16])>,
}

/// How many rows of a page are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub u32);

impl Default for Limit {
    fn default() -> Self {
        Self(DEFAULT_LIMIT)
    }
}

impl std::str::FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.map(Self).ok_or_else(|| format!("is a whole number from 1 to {MAX_LIMIT}"))
    }
}

impl PageRequest {
    /// # Errors
    /// [`ApiFailure::Invalid`] naming the first parameter that is unknown, repeated or out of bounds.
    pub(crate) fn read(uri: &Uri) -> Result<Self, ApiFailure> {
        let pairs: Vec<_> = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
        Self::from_pairs(pairs.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// As [`PageRequest::read`], of the parameters that are no filters.
    pub(crate) fn from_pairs<'q>(pairs: impl Iterator<Item = (&'q str, &'q str)>) -> Result<Self, ApiFailure> {
        let (mut limit, mut after) = (None, None);
        for (name, value) in pairs {
            let bad = |detail: &str| Err(ApiFailure::Invalid(vec![FieldError::new(format!("?{name}"), detail)]));
            match name {
                "limit" | "cursor" if value.is_empty() => {}
                "limit" if limit.is_none() => match value.parse() {
                    Ok(number @ 1..=MAX_LIMIT) => limit = Some(number),
                    _ => return bad(&format!("is a whole number from 1 to {MAX_LIMIT}")),
                },
                "cursor" if after.is_none() => match read_cursor(value) {
                    Some(cursor) => after = Some(cursor),
                    None => return bad("is not a cursor of this list; take it from next_cursor"),
                },
                "limit" | "cursor" => return bad("is given more than once"),
                _ => return bad("is not a parameter of this list"),
            }
        }
        Ok(Self { limit: limit.unwrap_or(DEFAULT_LIMIT), after })
    }
}

/// A page: `{"data": […], "next_cursor": …}`, and `Link: rel="next"`.
pub(crate) fn respond<T: Serialize>(
    uri: &Uri,
    limit: u32,
    data: &[T],
    next: Option<(Timestamp, [u8; 16])>,
) -> Response {
    let cursor = next.map(|(at, id)| write_cursor(at, id));
    let body = Page { data, next_cursor: cursor };
    let mut response = no_store(&body);
    if let Some(cursor) = body.next_cursor.as_deref() {
        link_next(&mut response, uri, limit, cursor);
    }
    response
}

/// Says where the next page is (RFC 8288).
pub(crate) fn link_next(response: &mut Response, uri: &Uri, limit: u32, cursor: &str) {
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), next_query(uri, limit, cursor));
    if let Ok(link) = HeaderValue::try_from(link) {
        response.headers_mut().insert(header::LINK, link);
    }
}

/// The query of the next page: the same filters.
fn next_query(uri: &Uri, limit: u32, cursor: &str) -> String {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let filters = pairs.filter(|(name, _)| name != "limit" && name != "cursor");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(filters).append_pair("limit", &limit.to_string()).append_pair("cursor", cursor).finish()
}

pub(crate) fn write_cursor(at: Timestamp, id: [u8; 16]) -> String {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&at.ms().to_be_bytes());
    bytes[8..].copy_from_slice(&id);
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn read_cursor(text: &str) -> Option<(Timestamp, [u8; 16])> {
    let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (at, id) = bytes.split_first_chunk::<8>()?;
    Some((Timestamp::from_ms(i64::from_be_bytes(*at)), id.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<PageRequest, ApiFailure> {
        PageRequest::read(&format!("/list?{query}").parse().unwrap())
    }

    #[test]
    fn a_cursor_reads_back() {
        let (at, id) = (Timestamp::from_ms(1_234), [7; 16]);
        assert_eq!(read(&format!("cursor={}", write_cursor(at, id))).unwrap().after, Some((at, id)));
    }

    #[test]
    fn bounds_and_unknown_names_are_refused() {
        assert_eq!(read("limit=200").unwrap().limit, 200);
        assert_eq!(read("limit=").unwrap().limit, 50);
        for bad in ["limit=0", "limit=201", "limit=x", "limit=1&limit=1", "cursor=x", "page=2", "limit=-1"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

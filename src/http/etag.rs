//! Versions on the wire: a strong `ETag` on what can be edited, `If-Match` on edits (RFC 9110 §8.8.3 and §13.1.1).

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::service::edit::IfMatch;
use crate::service::error::ApiFailure;

/// Adds the `ETag` of a resource in this version.
pub(crate) fn tag(mut response: Response, version: i64) -> Response {
    let tag = HeaderValue::try_from(format!("\"{version}\"")).expect("digits in quotes are a header value");
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// Which versions the caller's edit was made on.
///
/// # Errors
/// [`ApiFailure::PreconditionRequired`] without the header: an edit must not overwrite what its author has not seen.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<IfMatch, ApiFailure> {
    let mut versions = Vec::new();
    for value in headers.get_all(header::IF_MATCH) {
        for tag in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if tag == b"*" {
                return Ok(IfMatch::Any);
            }
            // Weak tags and foreign ones match nothing (RFC 9110 §13.1.1), which is not the same as none given.
            let digits = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\""));
            versions.push(digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()));
        }
    }
    if versions.is_empty() {
        return Err(ApiFailure::PreconditionRequired);
    }
    Ok(IfMatch::Versions(versions.into_iter().flatten().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<IfMatch, ApiFailure> {
        let values = values.iter().map(|value| (header::IF_MATCH, HeaderValue::from_str(value).unwrap()));
        if_match(&values.collect())
    }

    #[test]
    fn any_of_the_given_versions_matches() {
        assert!(read(&["\"3\""]).unwrap().covers(3));
        assert!(read(&["\"2\", \"3\""]).unwrap().covers(3));
        assert!(read(&["\"2\"", "\"3\""]).unwrap().covers(3));
        assert!(read(&["*"]).unwrap().covers(3));
        for stale in ["\"2\"", "W/\"3\"", "3", "\"x\"", ""] {
            assert!(!read(&[stale]).unwrap().covers(3), "{stale}");
        }
        assert!(matches!(read(&[]), Err(ApiFailure::PreconditionRequired)));
    }
}

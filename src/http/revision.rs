//! Positions in the revocation log on the wire: the one that an answer reflects, and the one that a caller asks for.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use crate::domain::grant::Revision;

/// On answers that issue or revoke.
const REVISION: HeaderName = HeaderName::from_static("x-jeton-revision");
/// On requests that validate: the answer is as of this revision or newer.
const MIN_REVISION: HeaderName = HeaderName::from_static("x-jeton-min-revision");

/// Whether the request asks for a revision. Others must not pay for it.
pub(crate) fn is_asked(headers: &HeaderMap) -> bool {
    headers.contains_key(MIN_REVISION)
}

/// What the request asks for; [`Revision::ZERO`] if it does not.
///
/// # Errors
/// A description for a value that is no revision, or two of them.
pub(crate) fn at_least(headers: &HeaderMap) -> Result<Revision, &'static str> {
    let mut values = headers.get_all(MIN_REVISION).iter();
    let Some(value) = values.next() else {
        return Ok(Revision::ZERO);
    };
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok()).filter(|_| values.next().is_none());
    number.map(Revision::new).ok_or("X-Jeton-Min-Revision is not one revision, a whole number")
}

/// The answer, with the revision that it reflects.
pub(crate) fn with(mut response: Response, revision: impl Into<Option<Revision>>) -> Response {
    if let Some(revision) = revision.into() {
        put(response.headers_mut(), revision);
    }
    response
}

pub(crate) fn put(headers: &mut HeaderMap, revision: Revision) {
    headers.insert(REVISION, HeaderValue::from(revision.value()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_a_whole_number_and_there_is_one() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(MIN_REVISION, HeaderValue::from_static(value));
            }
            at_least(&headers)
        };
        assert_eq!(read(&[]), Ok(Revision::ZERO));
        assert_eq!(read(&["17"]), Ok(Revision::new(17)));
        for bad in [&[""][..], &["-1"], &["+1"], &["1.0"], &["99999999999999999999"], &["1", "1"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}

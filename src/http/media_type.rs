//! Whether a body is of the type that an endpoint reads.

use axum::http::{HeaderMap, header};

/// True for exactly one `Content-Type` of this essence (its parameters do not matter) and no `Content-Encoding`.
pub(super) fn is(headers: &HeaderMap, essence: &str) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(first), None, false) = (types.next(), types.next(), headers.contains_key(header::CONTENT_ENCODING))
    else {
        return false;
    };
    if first.as_bytes() == essence.as_bytes() {
        return true;
    }
    let own = first.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    own.trim().eq_ignore_ascii_case(essence)
}

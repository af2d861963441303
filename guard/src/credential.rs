//! Owns the reading of a request's one credential: where it may stand and what it may look like. Whether it is any good is
//! the validator's to say.

use std::fmt;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use crate::query::names_access_token;

/// The longest token that is read, in bytes. Tokens of Jeton are far shorter; the bound keeps a validator from hashing or
/// forwarding whatever a caller sends.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use jeton_guard::{MAX_TOKEN_BYTES, Malformed, credential};
///
/// let long = "x".repeat(MAX_TOKEN_BYTES + 1);
/// let headers = HeaderMap::from_iter([("api-key".parse()?, HeaderValue::from_str(&long)?)]);
/// assert_eq!(credential(&headers, None).unwrap_err(), Malformed::Header);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MAX_TOKEN_BYTES: usize = 4096;

static API_KEY: HeaderName = HeaderName::from_static("api-key");
static X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Where a credential stood in the request.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use jeton_guard::{Malformed, Via, credential};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x-api-key", HeaderValue::from_static("jtn_k_1"));
/// let presented = credential(&headers, None)?.expect("the header presents one");
/// assert_eq!(presented.via(), Via::ApiKey);
/// # Ok::<(), Malformed>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// `Authorization: Bearer …` (RFC 6750 §2.1).
    Bearer,
    /// The `api-key` or the `X-API-Key` header, which take the same strings.
    ApiKey,
}

/// The one credential of a request, borrowed from its headers. Its `Debug` prints no token.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use jeton_guard::{Malformed, credential};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("api-key", HeaderValue::from_static("jtn_k_1"));
/// let presented = credential(&headers, None)?.expect("the header presents one");
/// assert_eq!(presented.token(), "jtn_k_1");
/// assert_eq!(format!("{presented:?}"), "Presented { via: ApiKey, .. }");
/// # Ok::<(), Malformed>(())
/// ```
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    token: &'a str,
    via: Via,
}

impl<'a> Presented<'a> {
    /// The token string: a `b64token` (RFC 6750 §2.1) of 1 to [`MAX_TOKEN_BYTES`] bytes. It is a secret.
    pub fn token(&self) -> &'a str {
        self.token
    }

    /// The header that it stood in.
    pub fn via(&self) -> Via {
        self.via
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("via", &self.via).finish_non_exhaustive()
    }
}

/// Why no credential can be read from a request: 400 `invalid_request` (RFC 6750 §3.1).
///
/// ```
/// use http::HeaderMap;
/// use jeton_guard::{Malformed, credential};
///
/// let refused = credential(&HeaderMap::new(), Some("access_token=jtn_a_1")).unwrap_err();
/// assert_eq!(refused, Malformed::InQuery);
/// assert_eq!(refused.description(), "An access token in the query string is not accepted.");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// More than one credential, even if they are equal (RFC 6750 §2).
    TwoCredentials,
    /// The token is empty, longer than [`MAX_TOKEN_BYTES`], or not a `b64token` (RFC 6750 §2.1).
    Header,
    /// An `access_token` parameter in the query string, which ends in logs and histories (RFC 9700 §4.3.2).
    InQuery,
}

impl Malformed {
    /// One sentence for the caller, in the characters that `error_description` may have.
    pub fn description(self) -> &'static str {
        match self {
            Self::TwoCredentials => "The request carries more than one credential.",
            Self::Header => "The credential in the request header is malformed.",
            Self::InQuery => "An access token in the query string is not accepted.",
        }
    }
}

/// Finds the one credential of a request, without allocating.
///
/// Read are `Authorization` with the scheme `Bearer`, matched without case, and the headers `api-key` and `X-API-Key`. An
/// `Authorization` header with another scheme presents no credential; two of them, of whatever schemes, are refused. `query` is the query string of the request's URI
/// without the `?`.
///
/// # Errors
///
/// [`Malformed`] in this order: a token in the query, more than one credential, a credential that is not a token string.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
/// use jeton_guard::{Malformed, Via, credential};
///
/// let mut headers = HeaderMap::new();
/// assert!(credential(&headers, None)?.is_none());
///
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer mF_9.B5f-4.1JqM"));
/// let presented = credential(&headers, Some("page=2"))?.expect("the header presents one");
/// assert_eq!(presented.token(), "mF_9.B5f-4.1JqM");
/// assert_eq!(presented.via(), Via::Bearer);
///
/// headers.insert("api-key", HeaderValue::from_static("mF_9.B5f-4.1JqM"));
/// assert_eq!(credential(&headers, None).unwrap_err(), Malformed::TwoCredentials);
/// # Ok::<(), Malformed>(())
/// ```
pub fn credential<'a>(headers: &'a HeaderMap, query: Option<&str>) -> Result<Option<Presented<'a>>, Malformed> {
    if query.is_some_and(names_access_token) {
        return Err(Malformed::InQuery);
    }
    let mut authorizations = headers.get_all(AUTHORIZATION).into_iter();
    let authorization = authorizations.next();
    // RFC 9110 §5.3 allows the header once. Whoever reads the other one would decide on another caller.
    if authorizations.next().is_some() {
        return Err(Malformed::TwoCredentials);
    }
    let bearer = authorization.and_then(|value| behind_bearer(value.as_bytes())).map(|raw| (Via::Bearer, raw));
    let keys = [&API_KEY, &X_API_KEY]
        .into_iter()
        .flat_map(|name| headers.get_all(name))
        .map(|value| (Via::ApiKey, value.as_bytes()));

    let mut all = bearer.into_iter().chain(keys);
    let Some((via, raw)) = all.next() else {
        return Ok(None);
    };
    if all.next().is_some() {
        return Err(Malformed::TwoCredentials);
    }
    let token = b64token(raw).ok_or(Malformed::Header)?;
    Ok(Some(Presented { token, via }))
}

/// What follows the scheme `Bearer`; `None` behind any other scheme, empty if no space sets it off.
fn behind_bearer(value: &[u8]) -> Option<&[u8]> {
    let end = value.iter().position(|byte| !is_tchar(*byte)).unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return None;
    }
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    Some(if spaces == 0 { b"" } else { &rest[spaces..] })
}

/// A character of a scheme (RFC 9110 §5.6.2).
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn b64token(raw: &[u8]) -> Option<&str> {
    if raw.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let padding = raw.iter().rev().take_while(|byte| **byte == b'=').count();
    let (body, _) = raw.split_at(raw.len() - padding);
    let well_formed =
        !body.is_empty() && body.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte));
    if !well_formed {
        return None;
    }
    str::from_utf8(raw).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    fn read(list: &[(&'static str, &str)]) -> Result<Option<(String, Via)>, Malformed> {
        let headers = headers(list);
        let presented = credential(&headers, None)?;
        Ok(presented.map(|presented| (presented.token().to_owned(), presented.via())))
    }

    #[test]
    fn the_example_of_rfc_6750_section_2_1_is_read() {
        assert_eq!(
            read(&[("authorization", "Bearer mF_9.B5f-4.1JqM")]),
            Ok(Some(("mF_9.B5f-4.1JqM".to_owned(), Via::Bearer)))
        );
    }

    #[test]
    fn the_scheme_is_matched_without_case() {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let read = read(&[("authorization", &format!("{scheme} abc"))]);
            assert_eq!(read, Ok(Some(("abc".to_owned(), Via::Bearer))), "{scheme}");
        }
    }

    #[test]
    fn more_than_one_space_may_set_the_token_off() {
        assert_eq!(read(&[("authorization", "Bearer    abc")]), Ok(Some(("abc".to_owned(), Via::Bearer))));
    }

    #[test]
    fn both_api_key_headers_take_the_same_strings() {
        for name in ["api-key", "x-api-key"] {
            assert_eq!(read(&[(name, "a.b-c_d~e+f/g==")]), Ok(Some(("a.b-c_d~e+f/g==".to_owned(), Via::ApiKey))));
        }
    }

    #[test]
    fn a_request_without_credentials_presents_nothing() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("cookie", "api-key=abc")]), Ok(None));
    }

    #[test]
    fn another_scheme_presents_nothing() {
        for value in ["Basic dTpw", "DPoP abc", "BearerX abc", "Bearer-X abc", "Digest", ""] {
            assert_eq!(read(&[("authorization", value)]), Ok(None), "{value}");
        }
    }

    #[test]
    fn another_scheme_beside_a_credential_is_ignored() {
        assert_eq!(
            read(&[("authorization", "Basic dTpw"), ("api-key", "abc")]),
            Ok(Some(("abc".to_owned(), Via::ApiKey)))
        );
    }

    #[test]
    fn two_authorization_headers_are_refused_whatever_their_schemes() {
        for (first, second) in
            [("Basic dTpw", "Bearer abc"), ("Bearer abc", "Basic dTpw"), ("Basic dTpw", "Basic dTpw")]
        {
            let list = [("authorization", first), ("authorization", second)];
            assert_eq!(read(&list), Err(Malformed::TwoCredentials), "{list:?}");
        }
    }

    #[test]
    fn a_bearer_scheme_with_nothing_behind_is_malformed() {
        for value in ["Bearer", "bearer ", "Bearer    "] {
            let read = read(&[("authorization", value)]);
            assert_eq!(read, Err(Malformed::Header), "{value}");
        }
    }

    #[test]
    fn a_token_that_is_no_b64token_is_malformed() {
        for value in [
            "Bearer a b",
            "Bearer abc ",
            "Bearer a,b",
            "Bearer \"abc\"",
            "Bearer =",
            "Bearer a=b",
            "Bearer caf\u{e9}",
            "Bearer\tabc",
            "Bearer \tabc",
            "Bearer/abc",
            "Bearer,abc",
            "Bearer=",
        ] {
            let read = read(&[("authorization", value)]);
            assert_eq!(read, Err(Malformed::Header), "{value}");
        }
        for value in ["", "Bearer abc", "a b"] {
            assert_eq!(read(&[("api-key", value)]), Err(Malformed::Header), "{value}");
        }
    }

    #[test]
    fn a_token_may_have_4096_bytes_and_not_one_more() {
        let longest = "a".repeat(MAX_TOKEN_BYTES);
        assert_eq!(read(&[("api-key", &longest)]), Ok(Some((longest.clone(), Via::ApiKey))));
        let value = format!("Bearer {longest}a");
        assert_eq!(read(&[("authorization", &value)]), Err(Malformed::Header));
    }

    #[test]
    fn a_second_credential_is_an_invalid_request() {
        for list in [
            [("authorization", "Bearer a"), ("authorization", "Bearer a")],
            [("authorization", "Bearer a"), ("api-key", "a")],
            [("authorization", "Bearer a"), ("x-api-key", "b")],
            [("authorization", "Bearer"), ("api-key", "a")],
            [("api-key", "a"), ("x-api-key", "a")],
            [("api-key", "a"), ("api-key", "a")],
            [("x-api-key", "a"), ("x-api-key", "b")],
        ] {
            assert_eq!(read(&list), Err(Malformed::TwoCredentials), "{list:?}");
        }
    }

    #[test]
    fn a_token_in_the_query_is_reported_before_anything_else() {
        let headers = headers(&[("authorization", "Bearer a"), ("api-key", "a")]);
        let read = credential(&headers, Some("access%5ftoken=a"));
        assert_eq!(read.unwrap_err(), Malformed::InQuery);
    }

    #[test]
    fn the_debug_form_holds_no_token() {
        let headers = headers(&[("api-key", "secret")]);
        let presented = credential(&headers, None).unwrap().unwrap();
        assert_eq!(format!("{presented:?}"), "Presented { via: ApiKey, .. }");
    }
}

//! Form bodies as the OAuth endpoints take them (RFC 6749 §3.2): an empty value is an absent one, a repeated
//! parameter is an error, an unknown one is ignored.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;

use super::media_type;
use super::time_limit::time_limit;

use crate::service::error::{OAuthCode, OAuthError};

/// The parameters of one request.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

/// Why a body can't be read.
#[derive(Debug)]
pub(crate) struct UnreadableForm {
    pub status: StatusCode,
    pub error: OAuthError,
}

/// These may be repeated (RFC 8707 §2, RFC 8693 §2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];
/// Parameters that must not stand in a URL, which ends up in logs.
const SECRET: [&str; 8] = [
    "client_secret",
    "token",
    "refresh_token",
    "access_token",
    "code",
    "client_assertion",
    "subject_token",
    "actor_token",
];
/// A body is small; whoever takes longer is not sending it.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// More parameters than any request has.
const MAX_PARAMETERS: usize = 64;

impl Form {
    /// Reads the body of a POST request, after its headers and URL were found acceptable.
    pub(crate) async fn read(parts: &Parts, body: Body, max_bytes: usize) -> Result<Self, UnreadableForm> {
        if let Some(name) = SECRET.iter().find(|name| in_query(parts.uri.query(), name)) {
            return Err(unreadable(format!("{name} belongs in the body of the request, not in its URL")));
        }
        if !media_type::is(&parts.headers, "application/x-www-form-urlencoded") {
            return Err(unreadable("the body must be application/x-www-form-urlencoded, given once and not encoded"));
        }
        Self::parse(&read_body(body, max_bytes).await?)
    }

    fn parse(body: &[u8]) -> Result<Self, UnreadableForm> {
        let mut form: Vec<(String, String)> = Vec::with_capacity(4);
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                return Err(unreadable("the body is not valid percent-encoded UTF-8"));
            };
            if value.is_empty() {
                continue;
            }
            if form.iter().any(|(known, _)| *known == name) && !REPEATABLE.contains(&&*name) {
                return Err(unreadable(match SECRET.iter().chain(&KNOWN).find(|known| ***known == *name) {
                    Some(known) => format!("{known} is given more than once"),
                    None => "a parameter is given more than once".to_owned(),
                }));
            }
            if form.len() == MAX_PARAMETERS {
                return Err(unreadable("the body has too many parameters"));
            }
            form.push((name, value));
        }
        Ok(Self(form))
    }

    /// Takes the value of a parameter out of the form.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(index).1)
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn take_all(&mut self, name: &str) -> Vec<String> {
        std::iter::from_fn(|| self.take(name)).collect()
    }
}

/// Names that may be repeated back in an error.
const KNOWN: [&str; 4] = ["grant_type", "scope", "client_id", "token_type_hint"];

/// The whole body, if it is no longer than `max_bytes`.
pub(crate) async fn read_body(body: Body, max_bytes: usize) -> Result<Bytes, UnreadableForm> {
    let too_large = || UnreadableForm {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        ..unreadable(format!("the body is larger than {max_bytes} bytes"))
    };
    // A length that is announced is believed: nothing of a body that is too large needs to be read.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced > max_bytes) {
        return Err(too_large());
    }
    let Ok(collected) = time_limit(BODY_TIMEOUT, Limited::new(body, max_bytes).collect()).await else {
        return Err(UnreadableForm {
            status: StatusCode::REQUEST_TIMEOUT,
            ..unreadable("the body did not arrive in time")
        });
    };
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Err(_) => Err(unreadable("the body ended too early")),
    }
}

/// Decodes `application/x-www-form-urlencoded`; `None` unless the result is UTF-8.
pub(crate) fn decode(text: &[u8]) -> Option<String> {
    if memchr::memchr2(b'%', b'+', text).is_none() {
        return String::from_utf8(text.to_vec()).ok();
    }
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

fn in_query(query: Option<&str>, name: &str) -> bool {
    query.is_some_and(|query| form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name))
}

fn unreadable(description: impl Into<Cow<'static, str>>) -> UnreadableForm {
    UnreadableForm { status: StatusCode::BAD_REQUEST, error: OAuthError::new(OAuthCode::InvalidRequest, description) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn empty_values_are_absent_and_unknown_names_are_ignored() {
        let mut form = Form::parse(b"scope=&token=a%20b+c&&x=1&lonely").unwrap();
        assert_eq!(form.take("scope"), None);
        assert_eq!(form.take("token").as_deref(), Some("a b c"));
        assert_eq!(form.take("token"), None);
    }

    #[test]
    fn repeats_are_refused_except_where_the_rfcs_allow_them() {
        assert!(Form::parse(b"token=a&token=a").is_err());
        assert!(Form::parse(b"whatever=a&whatever=b").is_err());
        assert!(Form::parse(b"scope=&scope=a").is_ok());
        let mut form = Form::parse(b"resource=a&resource=b").unwrap();
        assert_eq!(form.take_all("resource").len(), 2);
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_refused_whether_or_not_it_says_so() {
        let streamed = |bytes: &'static [u8]| {
            let pieces = bytes.chunks(4).map(|piece| Ok::<_, std::convert::Infallible>(Bytes::from_static(piece)));
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        for too_large in [Body::from("12345678901"), streamed(b"12345678901")] {
            assert_eq!(read_body(too_large, 10).await.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        }
        assert_eq!(read_body(streamed(b"1234567890"), 10).await.unwrap(), "1234567890");
    }

    #[test]
    fn what_is_not_utf_8_is_refused() {
        assert!(Form::parse(b"token=%ff%fe").is_err());
        assert!(Form::parse(b"token=\xff").is_err());
        assert!(Form::parse(b"").is_ok());
    }

    proptest! {
        #[test]
        fn no_body_panics(body: Vec<u8>) {
            let _read = Form::parse(&body);
        }

        #[test]
        fn what_a_library_encodes_reads_back(value in "\\PC{1,40}") {
            let body: String = form_urlencoded::Serializer::new(String::new()).append_pair("token", &value).finish();
            prop_assert_eq!(Form::parse(body.as_bytes()).unwrap().take("token"), Some(value));
        }
    }
}

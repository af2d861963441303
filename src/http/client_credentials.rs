//! Reads how a request's client proves itself (RFC 6749 §2.3.1): one way, or an error.

use axum::http::{HeaderMap, header};
use base64::Engine as _;

use super::form::{self, Form};
use crate::domain::secret::Secret;
use crate::service::client_auth::PresentedClient;
use crate::service::error::{OAuthCode, OAuthError};

/// What the request says of its client, and whether it used the `Authorization` header.
#[derive(Debug)]
pub(crate) struct ReadClient {
    pub presented: PresentedClient,
    /// Then a refusal must carry `WWW-Authenticate` for the same scheme (RFC 6749 §5.2).
    pub by_header: bool,
}

/// # Errors
/// `invalid_request` for two ways at once, `invalid_client` for a header that can't be read.
pub(crate) fn read(headers: &HeaderMap, form: &mut Form) -> Result<ReadClient, OAuthError> {
    let basic = basic(headers)?;
    let (id, secret) = (form.take("client_id"), form.take("client_secret"));
    if form.take("client_assertion").is_some() || form.take("client_assertion_type").is_some() {
        return Err(OAuthError::new(OAuthCode::InvalidClient, "client assertions are not supported"));
    }
    let by_header = basic.is_some();
    let presented = match (basic, id, secret) {
        (Some(_), _, Some(_)) => {
            return Err(OAuthError::new(OAuthCode::InvalidRequest, "two ways of client authentication in one request"));
        }
        (Some((client_id, _)), Some(named), None) if named != client_id => {
            return Err(OAuthError::new(OAuthCode::InvalidRequest, "client_id differs from the Authorization header"));
        }
        // An empty secret is an absent one (RFC 6749 §2.3.1): some libraries name a public client this way.
        (Some((client_id, secret)), _, None) if secret.expose_secret().is_empty() => {
            PresentedClient::Named { client_id }
        }
        (Some((client_id, secret)), _, None) => PresentedClient::Secret { client_id, secret },
        (None, Some(client_id), Some(secret)) => PresentedClient::Secret { client_id, secret: Secret::new(secret) },
        (None, Some(client_id), None) => PresentedClient::Named { client_id },
        (None, None, Some(_)) => {
            return Err(OAuthError::new(OAuthCode::InvalidRequest, "client_secret without client_id"));
        }
        (None, None, None) => PresentedClient::Nothing,
    };
    Ok(ReadClient { presented, by_header })
}

/// Id and secret are form-encoded before they are joined and base64-encoded.
fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret<String>)>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(OAuthError::new(OAuthCode::InvalidRequest, "Authorization is given more than once"));
    }
    let bytes = value.as_bytes();
    if bytes.trim_ascii().eq_ignore_ascii_case(b"basic") {
        return Err(OAuthError::new(OAuthCode::InvalidClient, "the Basic credentials can't be read"));
    }
    let Some((scheme, encoded)) = bytes.split_at_checked(6).filter(|(s, _)| s.eq_ignore_ascii_case(b"basic ")) else {
        return Ok(None);
    };
    debug_assert_eq!(scheme.len(), 6);
    let unreadable = || OAuthError::new(OAuthCode::InvalidClient, "the Basic credentials can't be read");
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded.trim_ascii()).ok().ok_or_else(unreadable)?;
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or_else(unreadable)?;
    let id = form::decode(&decoded[..colon]).filter(|id| !id.is_empty()).ok_or_else(unreadable)?;
    let secret = form::decode(&decoded[colon + 1..]).ok_or_else(unreadable)?;
    Ok(Some((id, Secret::new(secret))))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
        headers
    }

    fn encode(text: &str) -> String {
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    }

    #[test]
    fn basic_credentials_are_form_decoded_after_base64() {
        let read = read(&headers(&encode("a%3Ab+c:p%25%2B")), &mut Form::default()).unwrap();
        let PresentedClient::Secret { client_id, secret } = read.presented else { panic!("no secret") };
        assert_eq!((client_id.as_str(), secret.expose_secret().as_str()), ("a:b c", "p%+"));
        assert!(read.by_header);
    }

    #[test]
    fn unreadable_basic_credentials_are_an_invalid_client() {
        for bad in ["Basic !", "basic Zm9v", &encode("no-colon"), &encode(":secret"), &encode("%ff:x")] {
            assert_eq!(read(&headers(bad), &mut Form::default()).unwrap_err().code, OAuthCode::InvalidClient, "{bad}");
        }
    }

    #[test]
    fn another_scheme_is_no_client_authentication() {
        let read = read(&headers("Bearer x"), &mut Form::default()).unwrap();
        assert!(matches!(read.presented, PresentedClient::Nothing));
    }
}

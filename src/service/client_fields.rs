//! The fields of a client as they are sent: read all, so that everything that can't be accepted is told at once.

use super::detail::{Detail, Reason};
use super::error::{ApiFailure, FieldError};
use crate::domain::client::{AuthMethod, GrantType};
use crate::domain::name::{MAX_NAME_CHARS, shown_text};
use crate::domain::scope::Scopes;

/// Reads fields and gathers what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct ClientFields {
    errors: Vec<FieldError>,
}

const MAX_REDIRECT_URI_CHARS: usize = 2000;
const MAX_REDIRECT_URIS: usize = 20;

impl ClientFields {
    pub(super) fn bad(&mut self, pointer: &str, detail: impl Into<Detail>) {
        self.errors.push(FieldError::new(pointer, detail));
    }

    /// # Errors
    /// [`ApiFailure::Invalid`] with everything that was found.
    pub(super) fn finish(self) -> Result<(), ApiFailure> {
        if self.errors.is_empty() { Ok(()) } else { Err(ApiFailure::Invalid(self.errors)) }
    }

    pub(super) fn name(&mut self, text: &str) -> String {
        shown_text(text, MAX_NAME_CHARS).unwrap_or_else(|error| {
            self.bad("/name", error);
            String::new()
        })
    }

    /// A word that is given twice is kept once.
    pub(super) fn grant_types(&mut self, words: &[String]) -> Vec<GrantType> {
        let mut grant_types = Vec::new();
        for (index, word) in words.iter().enumerate() {
            match word.parse::<GrantType>() {
                Ok(grant_type) if !grant_types.contains(&grant_type) => grant_types.push(grant_type),
                Ok(_) => {}
                Err(_) => self.bad(
                    &format!("/grant_types/{index}"),
                    format!("is one of: {}", GrantType::ALL.map(GrantType::as_str).join(", ")),
                ),
            }
        }
        grant_types
    }

    pub(super) fn scopes(&mut self, words: &[String]) -> Scopes {
        Scopes::from_words(words).unwrap_or_else(|error| {
            self.bad("/scopes", error);
            Scopes::default()
        })
    }

    pub(super) fn auth_method(&mut self, word: Option<&str>) -> AuthMethod {
        match word.map(str::parse::<AuthMethod>) {
            None => AuthMethod::Basic,
            Some(Ok(method)) => method,
            Some(Err(_)) => {
                let all = AuthMethod::ALL.map(AuthMethod::as_str).join(", ");
                self.bad("/token_endpoint_auth_method", format!("is one of: {all}"));
                AuthMethod::Basic
            }
        }
    }

    pub(super) fn redirect_uris(&mut self, uris: &[String]) {
        if uris.len() > MAX_REDIRECT_URIS {
            let max = MAX_REDIRECT_URIS;
            self.bad("/redirect_uris", Detail::new(Reason::TooMany { max }, format!("has at most {max} entries")));
        }
        for (index, uri) in uris.iter().enumerate() {
            if let Err(problem) = redirect_uri(uri) {
                self.bad(&format!("/redirect_uris/{index}"), problem);
            }
        }
    }

    /// What a client that proves nothing can't be.
    pub(super) fn public(&mut self, grant_types: &[GrantType], introspect: bool) {
        if grant_types.contains(&GrantType::ClientCredentials) {
            self.bad(
                "/grant_types",
                Detail::new(
                    Reason::PublicClientCredentials,
                    "a public client can't use client_credentials (RFC 6749 section 4.4)",
                ),
            );
        }
        if grant_types.contains(&GrantType::Anonymous) {
            self.bad(
                "/grant_types",
                Detail::new(
                    Reason::PublicAnonymous,
                    "a public client can't open anonymous sessions: it proves nothing",
                ),
            );
        }
        if introspect {
            self.bad(
                "/introspect",
                Detail::new(Reason::PublicIntrospects, "a public client can't introspect: it proves nothing"),
            );
        }
    }
}

fn refused(reason: Reason, text: &'static str) -> Result<(), Detail> {
    Err(Detail::new(reason, text))
}

/// RFC 6749 §3.1.2: absolute, without a fragment; RFC 9700 §2.6: https, or http on the loopback interface.
fn redirect_uri(uri: &str) -> Result<(), Detail> {
    // The parser mends these; what is compared later is the text as it was given.
    if uri.len() > MAX_REDIRECT_URI_CHARS || uri.bytes().any(|byte| !(0x21..=0x7e).contains(&byte) || byte == b'\\') {
        let reason = Reason::RedirectCharacters { max: MAX_REDIRECT_URI_CHARS };
        return refused(reason, "is at most 2000 visible ASCII characters, without blanks and backslashes");
    }
    let Ok(parsed) = url::Url::parse(uri) else {
        return refused(Reason::RedirectNotAbsolute, "is not an absolute URI");
    };
    if !parsed.username().is_empty() || parsed.password().is_some() || uri.contains('*') {
        return refused(Reason::RedirectUserOrWildcard, "can't have a user, a password or a wildcard");
    }
    let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match parsed.scheme() {
        _ if parsed.fragment().is_some() => refused(Reason::RedirectFragment, "can't have a fragment"),
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => refused(Reason::RedirectNotHttps, "must be https, except on the loopback interface"),
        "javascript" | "data" | "vbscript" | "file" | "blob" | "about" => {
            refused(Reason::RedirectScheme, "has a scheme that can't be a redirect")
        }
        scheme if scheme.contains('.') => Ok(()),
        _ => refused(Reason::RedirectScheme, "a private-use scheme must contain a dot (RFC 8252 section 7.1)"),
    }
}

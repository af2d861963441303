//! Owns the text of `WWW-Authenticate: Bearer` (RFC 6750 §3).

use http::HeaderValue;

use crate::refusal::Refusal;

/// The fixed part of `WWW-Authenticate`: the realm and the URL of the resource metadata.
///
/// ```
/// use jeton_guard::{Challenge, Refusal};
///
/// let challenge = Challenge::new("orders")
///     .resource_metadata("https://orders.example/.well-known/oauth-protected-resource");
/// assert_eq!(
///     challenge.header(&Refusal::Missing).expect("a 401 has a challenge"),
///     "Bearer realm=\"orders\", \
///      resource_metadata=\"https://orders.example/.well-known/oauth-protected-resource\"",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Challenge {
    /// Ready to stand between quotes, as is `resource_metadata`.
    realm: String,
    resource_metadata: Option<String>,
}

impl Challenge {
    /// With a realm (RFC 9110 §11.5). Quotes and backslashes are escaped; what is not printable ASCII is dropped.
    pub fn new(realm: &str) -> Self {
        Self { realm: quotable(realm), resource_metadata: None }
    }

    /// Adds the URL of the protected resource metadata (RFC 9728 §5.1), cleaned as the realm is.
    #[must_use]
    pub fn resource_metadata(mut self, url: &str) -> Self {
        self.resource_metadata = Some(quotable(url));
        self
    }

    /// The header value of a 400, 401 or 403; `None` for 429 and 503, which no other credential would help.
    pub fn header(&self, refusal: &Refusal) -> Option<HeaderValue> {
        if matches!(refusal, Refusal::LimitExceeded { .. } | Refusal::Unavailable(_)) {
            return None;
        }
        let mut value = String::from("Bearer");
        push(&mut value, "realm", &self.realm);
        if let Some(error) = refusal.error() {
            push(&mut value, "error", error);
        }
        if let Some(description) = refusal.description() {
            push(&mut value, "error_description", description);
        }
        if let Refusal::InsufficientScope { scope } = refusal
            && is_scope(scope)
        {
            push(&mut value, "scope", scope);
        }
        if let Some(url) = &self.resource_metadata {
            push(&mut value, "resource_metadata", url);
        }
        let value = HeaderValue::try_from(value);
        Some(value.expect("each part is a literal of this crate or went through `quotable`"))
    }
}

/// Appends one `name="value"`; the first stands behind the scheme, the others behind a comma.
fn push(header: &mut String, name: &str, quotable: &str) {
    header.push_str(if header.contains('=') { ", " } else { " " });
    header.push_str(name);
    header.push_str("=\"");
    header.push_str(quotable);
    header.push('"');
}

/// The inside of a `quoted-string` (RFC 9110 §5.6.4), less the characters that not every client reads alike.
fn quotable(text: &str) -> String {
    let mut quotable = String::with_capacity(text.len());
    for char in text.chars().filter(|char| matches!(char, ' '..='~')) {
        if matches!(char, '"' | '\\') {
            quotable.push('\\');
        }
        quotable.push(char);
    }
    quotable
}

/// Longer ones could exceed the header buffer of a proxy.
const MAX_SCOPE_CHARS: usize = 1024;

/// RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E, and something worth naming.
fn is_scope(text: &str) -> bool {
    let allowed = |byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=MAX_SCOPE_CHARS).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Malformed;
    use crate::limits::Limits;
    use crate::validator::{Inactive, Unavailable};

    fn header(challenge: &Challenge, refusal: &Refusal) -> String {
        let header = challenge.header(refusal).unwrap();
        header.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_missing_credential_gets_no_error() {
        assert_eq!(header(&Challenge::new("example"), &Refusal::Missing), r#"Bearer realm="example""#);
    }

    #[test]
    fn an_invalid_token_gets_its_error_and_description() {
        assert_eq!(
            header(&Challenge::new("example"), &Inactive::Expired.into()),
            r#"Bearer realm="example", error="invalid_token", error_description="The access token has expired.""#
        );
    }

    #[test]
    fn an_invalid_request_gets_its_error_and_description() {
        assert_eq!(
            header(&Challenge::new("example"), &Malformed::InQuery.into()),
            r#"Bearer realm="example", error="invalid_request", error_description="An access token in the query string is not accepted.""#
        );
    }

    #[test]
    fn every_part_stands_in_its_place() {
        let challenge = Challenge::new("example").resource_metadata("https://a.example/meta");
        let scope = "orders:read orders:write".to_owned();
        assert_eq!(
            header(&challenge, &Refusal::InsufficientScope { scope }),
            concat!(
                r#"Bearer realm="example", error="insufficient_scope", "#,
                r#"error_description="The access token lacks a scope that this request needs.", "#,
                r#"scope="orders:read orders:write", resource_metadata="https://a.example/meta""#,
            )
        );
    }

    #[test]
    fn what_is_no_scope_or_too_long_is_left_out() {
        for scope in ["s\"", "a\\b", "a\r\nb", "caf\u{e9}", "\u{0}", &"x".repeat(2000)] {
            let refusal = Refusal::InsufficientScope { scope: scope.to_owned() };
            assert!(!header(&Challenge::new("example"), &refusal).contains("scope=\""), "{scope:?}");
        }
    }

    #[test]
    fn an_empty_scope_is_left_out() {
        let scope = String::new();
        let header = header(&Challenge::new("example"), &Refusal::InsufficientScope { scope });
        assert!(!header.contains("scope=\""), "{header}");
    }

    #[test]
    fn a_limit_and_an_outage_are_no_challenge() {
        let challenge = Challenge::new("example");
        let limit = Refusal::LimitExceeded { retry_after_s: 1, limits: Limits::none() };
        let outage = Refusal::Unavailable(Unavailable { retry_after_s: 1 });
        assert_eq!(challenge.header(&limit), None);
        assert_eq!(challenge.header(&outage), None);
    }

    #[test]
    fn no_input_breaks_out_of_its_quotes_or_of_the_header() {
        let challenge = Challenge::new("a\"b\\c\r\nSet-Cookie: x\u{e9}=1\u{7f}").resource_metadata("u\"\n");
        let scope = String::new();
        let header = header(&challenge, &Refusal::InsufficientScope { scope });
        assert!(header.starts_with(r#"Bearer realm="a\"b\\cSet-Cookie: x=1", error="#), "{header}");
        assert!(header.ends_with(r#", resource_metadata="u\"""#), "{header}");
    }
}

//! APIs: protected resources that grants are associated with.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::catalog_name::CatalogName;
use super::clock::Timestamp;
use super::ids::{ApiId, WorkspaceId};
use super::scope::Scopes;

/// A protected resource of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    pub id: ApiId,
    pub workspace: WorkspaceId,
    pub name: CatalogName,
    pub audience: Audience,
    /// The scopes that mean something to it; none: it leaves scopes to the service behind it.
    pub scopes: Scopes,
    pub created_at: Timestamp,
    pub version: i64,
}

impl Api {
    /// Whether a token's scope counts for this API.
    #[must_use]
    pub fn takes_scope(&self, scope: &str) -> bool {
        self.scopes.is_empty() || self.scopes.contains(scope)
    }
}

/// The URI of a protected resource (RFC 8707 §2): absolute, without a fragment. Compared as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audience(Box<str>);

/// A text that is not an audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is an absolute URI of at most {} visible ASCII characters, without fragment (RFC 8707 section 2)",
    Audience::MAX_CHARS
)]
pub struct NotAnAudience;

impl Audience {
    /// It stands in every introspection answer.
    pub const MAX_CHARS: usize = 512;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = NotAnAudience;

    fn from_str(text: &str) -> Result<Self, NotAnAudience> {
        // The parser mends these; what is compared later is the text as it was given.
        let plain = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if text.len() > Self::MAX_CHARS || !text.bytes().all(plain) {
            return Err(NotAnAudience);
        }
        match url::Url::parse(text) {
            Ok(parsed) if parsed.fragment().is_none() => Ok(Self(text.into())),
            _ => Err(NotAnAudience),
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_an_absolute_uri_without_a_fragment() {
        for good in ["https://api.test", "https://api.test/orders?v=2", "urn:example:orders"] {
            assert_eq!(good.parse::<Audience>().map(|audience| audience.to_string()), Ok(good.to_owned()));
        }
        let long = format!("https://api.test/{}", "x".repeat(500));
        for bad in ["", "orders", "//api.test", "/orders", "https://api.test/#f", "https://api.test/ ", "a\\b:c", &long]
        {
            assert_eq!(bad.parse::<Audience>(), Err(NotAnAudience), "{bad}");
        }
    }
}

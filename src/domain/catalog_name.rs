//! The names of APIs and plans: what grants know them by, so that they never change.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// 1 to 64 characters of `[a-z0-9._-]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CatalogName(Box<str>);

/// A text that names no API and no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is 1 to {} of a-z, 0-9, dot, underscore and hyphen", CatalogName::MAX_CHARS)]
pub struct NotAName;

impl CatalogName {
    pub const MAX_CHARS: usize = 64;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CatalogName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        let good = (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(plain);
        if good { Ok(Self(text.into())) } else { Err(NotAName) }
    }
}

impl Borrow<str> for CatalogName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CatalogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CatalogName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for good in ["a", "orders.v2", "gold_100-per-min", &"x".repeat(64)] {
            assert_eq!(good.parse::<CatalogName>().map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "A", "a b", "a/b", "caf\u{e9}", "a\"", "a\n", &"x".repeat(65)] {
            assert_eq!(bad.parse::<CatalogName>(), Err(NotAName), "{bad:?}");
        }
    }
}

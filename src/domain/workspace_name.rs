//! The name of a workspace: it stands in answers, headers and URLs, and never changes.

use std::str::FromStr;
use std::sync::Arc;

/// 1 to 63 lower-case letters, digits and inner hyphens, as in a host name (RFC 1123 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceName(Arc<str>);

/// A text that is no name of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends")]
pub struct NotAWorkspaceName;

impl WorkspaceName {
    const MAX_CHARS: usize = 63;

    #[must_use]
    pub fn into_text(self) -> Arc<str> {
        self.0
    }
}

impl FromStr for WorkspaceName {
    type Err = NotAWorkspaceName;

    fn from_str(text: &str) -> Result<Self, NotAWorkspaceName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let ends = !text.starts_with('-') && !text.ends_with('-');
        let fits = (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(plain);
        if fits && ends { Ok(Self(text.into())) } else { Err(NotAWorkspaceName) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_could_be_a_host_name() {
        for good in ["a", "acme", "acme-2", "0"] {
            assert_eq!(&*good.parse::<WorkspaceName>().unwrap().into_text(), good);
        }
        for bad in ["", "-a", "a-", "Acme", "a_b", "a b", "caf\u{e9}", &"x".repeat(64)] {
            assert_eq!(bad.parse::<WorkspaceName>(), Err(NotAWorkspaceName), "{bad}");
        }
    }
}

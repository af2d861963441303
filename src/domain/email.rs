//! E-mail addresses of people: shown and matched, never written to by this service.

use std::str::FromStr;

/// Something that can be an address: one `@`, something on both sides of it, nothing that misleads a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(Box<str>);

/// A text that is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is an e-mail address of at most {} visible ASCII characters", Email::MAX_CHARS)]
pub struct NotAnEmail;

impl Email {
    /// RFC 5321 §4.5.3.1.3, without its angle brackets.
    pub const MAX_CHARS: usize = 254;

    #[must_use]
    pub fn into_string(self) -> String {
        self.0.into()
    }
}

impl FromStr for Email {
    type Err = NotAnEmail;

    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        let plain =
            |byte: u8| (0x21..=0x7e).contains(&byte) && !matches!(byte, b'<' | b'>' | b'"' | b',' | b';' | b'\\');
        let parts = text.split_once('@').filter(|(_, domain)| !domain.contains('@'));
        let both = parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.trim_matches('.').is_empty());
        if both && text.len() <= Self::MAX_CHARS && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            Err(NotAnEmail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_an_address_is_kept_as_it_is() {
        for good in ["a@b", "First.Last+tag@example.org", "o'hara@example.org"] {
            assert_eq!(good.parse::<Email>().unwrap().into_string(), good);
        }
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@.",
            "a\n@b",
            "<a@b>",
            "caf\u{e9}@b",
            &format!("{}@b", "x".repeat(254)),
        ] {
            assert_eq!(bad.parse::<Email>(), Err(NotAnEmail), "{bad:?}");
        }
    }
}

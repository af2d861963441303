//! Who somebody is to an OpenID Connect provider: the pair of issuer and subject, which is never given to anybody else
//! (OpenID Connect Core §2). Names and addresses may be.

use std::str::FromStr;

/// The `sub` of a provider: 1 to 255 ASCII characters, compared as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(Box<str>);

/// A text that no provider gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is 1 to {} visible ASCII characters", Subject::MAX_CHARS)]
pub struct NotASubject;

impl Subject {
    /// OpenID Connect Core §2.
    pub const MAX_CHARS: usize = 255;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Subject {
    type Err = NotASubject;

    fn from_str(text: &str) -> Result<Self, NotASubject> {
        let plain = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) && text.trim() == text;
        if plain && (1..=Self::MAX_CHARS).contains(&text.len()) { Ok(Self(text.into())) } else { Err(NotASubject) }
    }
}

/// One person at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: Subject,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_short_visible_and_kept_as_it_is() {
        for good in ["1", "248289761001", "auth0|5f7c8ec7c33c6c004bbafe82", "CN=Ada, O=Acme", &"x".repeat(255)] {
            assert_eq!(good.parse::<Subject>().unwrap().as_str(), good);
        }
        for bad in ["", " ", " a", "a\n", "caf\u{e9}", &"x".repeat(256)] {
            assert_eq!(bad.parse::<Subject>(), Err(NotASubject), "{bad:?}");
        }
    }
}

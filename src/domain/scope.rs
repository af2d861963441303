//! Scopes (RFC 6749 §3.3): a set of case-sensitive, space-delimited words.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A set of scope words, kept sorted and free of repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Box<[Box<str>]>);

/// A text that is not a scope list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadScope {
    #[error(
        "a scope word is made of visible ASCII characters without double quote and backslash (RFC 6749 section 3.3)"
    )]
    Character,
    #[error("a scope list has at most {} words of at most {} characters", Scopes::MAX_WORDS, Scopes::MAX_WORD_CHARS)]
    TooLong,
}

impl Scopes {
    /// Keeps a grant's row and its introspection answer small.
    pub const MAX_WORDS: usize = 64;
    pub const MAX_WORD_CHARS: usize = 128;

    /// # Errors
    /// [`BadScope`] when a word has a character that RFC 6749 §3.3 does not allow, or a limit is passed.
    pub fn from_words<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Result<Self, BadScope> {
        let mut set = Vec::new();
        for word in words {
            let word = word.as_ref();
            if word.is_empty() || !word.bytes().all(is_scope_char) {
                return Err(BadScope::Character);
            }
            if word.len() > Self::MAX_WORD_CHARS || set.len() == Self::MAX_WORDS {
                return Err(BadScope::TooLong);
            }
            set.push(Box::from(word));
        }
        set.sort_unstable();
        set.dedup();
        Ok(Self(set.into()))
    }

    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.0.iter().any(|own| **own == *word)
    }

    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|word| self.contains(word))
    }

    /// The words that stand in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|word| other.contains(word)).cloned().collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

/// RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E
fn is_scope_char(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

impl FromStr for Scopes {
    type Err = BadScope;

    /// Reads the form parameter: words between single or repeated spaces.
    fn from_str(text: &str) -> Result<Self, BadScope> {
        Self::from_words(text.split(' ').filter(|word| !word.is_empty()))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}

/// A JSON array, as REST shows it; the OAuth endpoints use the space-delimited [`Display`](fmt::Display) form.
impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.words())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_and_repeats_do_not_matter() {
        let scopes: Scopes = "write read  write".parse().unwrap();
        assert_eq!(scopes.to_string(), "read write");
        assert_eq!(scopes, "read write".parse().unwrap());
        assert!(scopes.covers(&"write".parse().unwrap()));
        assert!(!scopes.covers(&"write admin".parse().unwrap()));
        assert!(scopes.covers(&Scopes::default()));
    }

    #[test]
    fn an_intersection_has_what_both_have() {
        let scopes = |text: &str| text.parse::<Scopes>().unwrap();
        assert_eq!(scopes("a b c").intersection(&scopes("d c a")), scopes("a c"));
        assert!(scopes("a").intersection(&Scopes::default()).is_empty());
    }

    #[test]
    fn characters_outside_the_grammar_are_refused() {
        for bad in ["a\"b", "a\\b", "a\tb", "caf\u{e9}", "a\nb", "\u{0}"] {
            assert_eq!(bad.parse::<Scopes>(), Err(BadScope::Character), "{bad:?}");
        }
    }

    #[test]
    fn the_limits_hold() {
        assert_eq!("x".repeat(129).parse::<Scopes>(), Err(BadScope::TooLong));
        let many: Vec<String> = (0..65).map(|n| format!("s{n}")).collect();
        assert_eq!(many.join(" ").parse::<Scopes>(), Err(BadScope::TooLong));
    }

    proptest! {
        #[test]
        fn the_printed_form_reads_back(words in proptest::collection::vec("[!#-\\[\\]-~]{1,20}", 0..20)) {
            let scopes = Scopes::from_words(&words).unwrap();
            prop_assert_eq!(scopes.to_string().parse::<Scopes>().unwrap(), scopes);
        }
    }
}

//! A presented string that was not made here.

use super::{Recipe, is_b64token, message};
use crate::domain::ids::TokenId;
use crate::domain::keys::{KeyRing, KeyVersion};
use crate::domain::secret::{Digest, Secret};
use crate::domain::token_string::{PresentedToken, TokenKind};

/// A string that an older system may have made.
#[derive(Clone, Debug)]
pub struct ForeignToken {
    text: Secret<String>,
    digest: Digest,
    key_version: KeyVersion,
}

/// What `jeton_guard` reads at most.
pub const MAX_FOREIGN_BYTES: usize = jeton_guard::MAX_TOKEN_BYTES;
/// A shorter string is no secret.
pub const MIN_FOREIGN_BYTES: usize = 8;

impl ForeignToken {
    /// `None` for a string that no import can hold.
    #[must_use]
    pub fn read(text: &str, keys: &KeyRing) -> Option<Self> {
        let fits = (MIN_FOREIGN_BYTES..=MAX_FOREIGN_BYTES).contains(&text.len());
        (fits && is_b64token(text)).then(|| Self {
            digest: keys.current().digest(&message("plain", "", text.as_bytes())),
            key_version: keys.current().version(),
            text: Secret::new(text.to_owned()),
        })
    }

    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.text.expose_secret()
    }

    /// The keyed digest of the string itself: what its row is found by from its second use on.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    #[must_use]
    pub const fn key_version(&self) -> KeyVersion {
        self.key_version
    }

    /// What the row of this token may be found by: itself, or what each recipe makes of it, under each live key.
    #[must_use]
    pub fn lookups(&self, recipes: &[Recipe], keys: &KeyRing) -> Vec<Digest> {
        let text = self.text.expose_secret();
        let plain = message("plain", "", text.as_bytes());
        let mut lookups: Vec<Digest> = Vec::new();
        for keys in keys.live() {
            let derived = recipes.iter().filter_map(|recipe| recipe.lookup_message(text));
            for message in std::iter::once(plain.clone()).chain(derived) {
                let lookup = keys.digest(&message);
                if !lookups.iter().any(|known| known.as_bytes() == lookup.as_bytes()) {
                    lookups.push(lookup);
                }
            }
        }
        lookups
    }

    /// As if it were a token of ours: so it is kept in the same cache and compared in the same way. Its id is made of
    /// its digest and of the generation of imports, so that a changed deadline is another id.
    #[must_use]
    pub fn as_presented(&self, generation: u64) -> PresentedToken {
        let mut random = [0; 10];
        random.copy_from_slice(&self.digest.as_bytes()[..10]);
        for (byte, mask) in random[2..].iter_mut().zip(generation.to_be_bytes()) {
            *byte ^= mask;
        }
        PresentedToken {
            kind: TokenKind::Access,
            id: TokenId::new(None, random),
            digest: self.digest,
            key_version: self.key_version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entropy::Entropy;
    use crate::domain::keys::MasterKey;

    fn ring(seed: u64, previous: Option<u64>) -> KeyRing {
        let key = |seed| MasterKey::generate(&Entropy::seeded(seed));
        KeyRing::new(&key(seed), previous.map(key).as_ref())
    }

    #[test]
    fn a_string_that_no_import_can_hold_is_not_read() {
        let long = "x".repeat(MAX_FOREIGN_BYTES + 1);
        for bad in ["", "short", "with blanks in it", "caf\u{e9}caf\u{e9}", "========", long.as_str()] {
            assert!(ForeignToken::read(bad, &ring(1, None)).is_none(), "{bad}");
        }
        assert!(ForeignToken::read("12345678", &ring(1, None)).is_some());
    }

    #[test]
    fn the_id_in_the_cache_follows_string_key_and_generation() {
        let id =
            |text, seed, generation| ForeignToken::read(text, &ring(seed, None)).unwrap().as_presented(generation).id;
        assert_eq!(id("token-one", 1, 0), id("token-one", 1, 0));
        assert_ne!(id("token-one", 1, 0), id("token-two", 1, 0));
        assert_ne!(id("token-one", 1, 0), id("token-one", 2, 0));
        assert_ne!(id("token-one", 1, 0), id("token-one", 1, 1));
        assert_eq!(id("token-one", 1, 0).expires_at(), None);
    }

    #[test]
    fn the_previous_key_finds_what_was_imported_under_it() {
        let before = ForeignToken::read("token-one", &ring(1, None)).unwrap().lookups(&[], &ring(1, None));
        let during = ForeignToken::read("token-one", &ring(2, Some(1))).unwrap().lookups(&[], &ring(2, Some(1)));
        assert_eq!((before.len(), during.len()), (1, 2));
        assert!(during.iter().any(|lookup| lookup.matches(&before[0])));
    }
}

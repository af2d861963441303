//! The token string: `jtn_<kind>_<id><secret><tag>`, fixed width, `[A-Za-z0-9_]` only.
//!
//! The tag is checked here, before any I/O: a string that was not made under one of the live keys is refused
//! without a look-up. What comes out of [`TokenCodec::parse`] carries the digest to compare with the stored one.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::base62::{self, LIMB_DIGITS};
use super::clock::Timestamp;
use super::entropy::Entropy;
use super::ids::TokenId;
use super::keys::{DerivedMaterial, KeyRing, KeyVersion, Keys};
use super::secret::{Digest, Secret};

/// What a secret is for; one letter in the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    Access,
    Refresh,
    Key,
    ClientSecret,
}

impl TokenKind {
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Access => 'a',
            Self::Refresh => 'r',
            Self::Key => 'k',
            Self::ClientSecret => 's',
        }
    }

    #[must_use]
    pub const fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'a' => Some(Self::Access),
            b'r' => Some(Self::Refresh),
            b'k' => Some(Self::Key),
            b's' => Some(Self::ClientSecret),
            _ => None,
        }
    }
}

/// A freshly made secret: the string to show once, and what to store of it.
#[derive(Debug)]
pub struct MintedToken {
    pub kind: TokenKind,
    pub id: TokenId,
    pub string: Secret<String>,
    pub digest: Digest,
    pub key_version: KeyVersion,
}

/// A string whose tag is right: made here, not necessarily alive.
#[derive(Clone, Copy, Debug)]
pub struct PresentedToken {
    pub kind: TokenKind,
    pub id: TokenId,
    pub digest: Digest,
    pub key_version: KeyVersion,
}

/// A string that was not made by this service: foreign, mistyped, truncated or forged. Nothing more is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this service")]
pub struct NotOurToken;

/// A brand that cannot stand in a token string.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the token brand is 2 to 12 lower-case letters or digits, not {0:?}")]
pub struct BadBrand(String);

/// Makes and reads token strings under one brand and key ring.
#[derive(Clone, Debug)]
pub struct TokenCodec {
    brand: Box<str>,
    keys: KeyRing,
}

/// id (2 limbs), secret (4 limbs), tag (1 limb).
const BODY_DIGITS: usize = 7 * LIMB_DIGITS;

impl TokenCodec {
    /// # Errors
    /// [`BadBrand`] unless the brand is 2 to 12 lower-case letters or digits.
    pub fn new(brand: &str, keys: KeyRing) -> Result<Self, BadBrand> {
        let plain = brand.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if plain && (2..=12).contains(&brand.len()) {
            Ok(Self { brand: brand.into(), keys })
        } else {
            Err(BadBrand(brand.to_owned()))
        }
    }

    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The regular expression that finds every token string of this brand, for secret scanners.
    #[must_use]
    pub fn pattern(&self) -> String {
        format!("{}_[arks]_[0-9A-Za-z]{{{BODY_DIGITS}}}", self.brand)
    }

    /// A new secret from the operating system's randomness; it ends at `expires`, or never.
    #[must_use]
    pub fn mint(&self, kind: TokenKind, expires: Option<Timestamp>, entropy: &Entropy) -> MintedToken {
        let id = TokenId::new(expires, entropy.secret());
        self.assemble(self.keys.current(), kind, id, &Secret::new(entropy.secret()))
    }

    /// The token that `material` stands for: equal input gives the equal string.
    #[must_use]
    pub fn derive(
        &self,
        keys: &Keys,
        kind: TokenKind,
        expires: Option<Timestamp>,
        material: &DerivedMaterial,
    ) -> MintedToken {
        self.assemble(keys, kind, TokenId::new(expires, material.id_random), &material.secret)
    }

    /// Reads a string and checks its tag; compares nothing with the store.
    ///
    /// # Errors
    /// [`NotOurToken`] for anything that no live key has made.
    pub fn parse(&self, text: &str) -> Result<PresentedToken, NotOurToken> {
        let rest = text.as_bytes().strip_prefix(self.brand.as_bytes()).ok_or(NotOurToken)?;
        let [b'_', letter, b'_', body @ ..] = rest else {
            return Err(NotOurToken);
        };
        let kind = TokenKind::from_letter(*letter).ok_or(NotOurToken)?;
        if body.len() != BODY_DIGITS {
            return Err(NotOurToken);
        }
        let mut limbs = [0u64; 7];
        for (limb, digits) in limbs.iter_mut().zip(body.as_chunks::<LIMB_DIGITS>().0) {
            *limb = base62::read_limb(digits).ok_or(NotOurToken)?;
        }
        let (message, tag) = (message(kind, &limbs), limbs[6]);
        let keys = self.keys.live().find(|keys| bool::from(keys.tag(&*message).ct_eq(&tag))).ok_or(NotOurToken)?;
        let id: [u8; 16] = message[1..17].try_into().expect("16 bytes");
        Ok(PresentedToken {
            kind,
            id: TokenId::from_bytes(id),
            digest: keys.digest(&*message),
            key_version: keys.version(),
        })
    }

    fn assemble(&self, keys: &Keys, kind: TokenKind, id: TokenId, secret: &Secret<[u8; 32]>) -> MintedToken {
        let mut limbs = [0u64; 7];
        let bytes = id.as_bytes().iter().chain(secret.expose_secret());
        for (index, byte) in bytes.enumerate() {
            limbs[index / 8] = (limbs[index / 8] << 8) | u64::from(*byte);
        }
        let message = message(kind, &limbs);
        limbs[6] = keys.tag(&*message);
        let mut string = String::with_capacity(self.brand.len() + 3 + BODY_DIGITS);
        string.push_str(&self.brand);
        string.push('_');
        string.push(kind.letter());
        string.push('_');
        for limb in limbs {
            base62::push_limb(&mut string, limb);
        }
        MintedToken {
            kind,
            id,
            string: Secret::new(string),
            digest: keys.digest(&*message),
            key_version: keys.version(),
        }
    }
}

/// What tag and digest are computed over: kind ‖ id ‖ secret.
fn message(kind: TokenKind, limbs: &[u64; 7]) -> Zeroizing<[u8; 49]> {
    let mut message = Zeroizing::new([0; 49]);
    message[0] = kind.letter() as u8;
    for (place, limb) in message[1..].as_chunks_mut::<8>().0.iter_mut().zip(limbs) {
        *place = limb.to_be_bytes();
    }
    message
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Key => "key",
            Self::ClientSecret => "client secret",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::keys::MasterKey;

    fn ring(seed: u64) -> KeyRing {
        KeyRing::new(&MasterKey::generate(&Entropy::seeded(seed)), None)
    }

    fn codec(seed: u64) -> TokenCodec {
        TokenCodec::new("jtn", ring(seed)).unwrap()
    }

    fn kinds() -> impl Strategy<Value = TokenKind> {
        prop_oneof![
            Just(TokenKind::Access),
            Just(TokenKind::Refresh),
            Just(TokenKind::Key),
            Just(TokenKind::ClientSecret)
        ]
    }

    proptest! {
        #[test]
        fn a_minted_string_reads_back_as_itself(seed: u64, kind in kinds(), end in proptest::option::of(0..1i64 << 47)) {
            let codec = codec(seed);
            let minted = codec.mint(kind, end.map(Timestamp::from_ms), &Entropy::seeded(seed));
            let string = minted.string.expose_secret();
            prop_assert_eq!(string.len(), 83);
            let read = codec.parse(string).unwrap();
            prop_assert_eq!(read.kind, kind);
            prop_assert_eq!(read.id, minted.id);
            prop_assert_eq!(read.id.expires_at(), end.map(Timestamp::from_ms));
            prop_assert!(read.digest.matches(&minted.digest));
        }

        #[test]
        fn one_changed_character_is_refused(seed: u64, place in 0usize..83, new in "[0-9A-Za-z_ -]") {
            let codec = codec(seed);
            let minted = codec.mint(TokenKind::Access, None, &Entropy::seeded(seed));
            let mut text = minted.string.expose_secret().clone();
            prop_assume!(text[place..=place] != new);
            text.replace_range(place..=place, &new);
            prop_assert_eq!(codec.parse(&text).unwrap_err(), NotOurToken);
        }

        #[test]
        fn any_other_text_is_refused(text in "\\PC{0,200}") {
            prop_assert!(codec(1).parse(&text).is_err());
        }

        #[test]
        fn a_truncated_or_padded_string_is_refused(cut in 0usize..83, pad in "[0-9A-Za-z]{1,40}") {
            let codec = codec(1);
            let minted = codec.mint(TokenKind::Key, None, &Entropy::seeded(3));
            let text = minted.string.expose_secret();
            prop_assert!(codec.parse(&text[..cut]).is_err());
            let padded = format!("{text}{pad}");
            prop_assert!(codec.parse(&padded).is_err());
        }
    }

    #[test]
    fn another_services_key_is_refused() {
        let minted = codec(1).mint(TokenKind::Access, None, &Entropy::seeded(9));
        assert!(codec(2).parse(minted.string.expose_secret()).is_err());
    }

    #[test]
    fn the_previous_key_still_reads_while_a_rotation_is_under_way() {
        let (old, new) = (MasterKey::generate(&Entropy::seeded(1)), MasterKey::generate(&Entropy::seeded(2)));
        let before = TokenCodec::new("jtn", KeyRing::new(&old, None)).unwrap();
        let during = TokenCodec::new("jtn", KeyRing::new(&new, Some(&old))).unwrap();
        let minted = before.mint(TokenKind::Access, None, &Entropy::seeded(3));
        let read = during.parse(minted.string.expose_secret()).unwrap();
        assert_eq!(read.key_version, minted.key_version);
        assert!(read.digest.matches(&minted.digest));
        assert_ne!(during.keys().current().version(), minted.key_version);
    }

    #[test]
    fn a_brand_with_other_characters_is_refused() {
        for bad in ["", "j", "JTN", "j_n", "jeton-token", "abcdefghijklm"] {
            assert!(TokenCodec::new(bad, ring(1)).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_published_pattern_finds_a_token_in_text() {
        let codec = codec(4);
        let minted = codec.mint(TokenKind::Refresh, None, &Entropy::seeded(4));
        let text = format!("export TOKEN={} # do not share", minted.string.expose_secret());
        let found = regex::Regex::new(&codec.pattern()).unwrap().find(&text).unwrap().as_str().to_owned();
        assert_eq!(&found, minted.string.expose_secret());
    }
}

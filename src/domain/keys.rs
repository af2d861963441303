//! The master key and what is derived from it: one HKDF-SHA256 key per purpose, two versions live at a time.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::base62;
use super::entropy::Entropy;
use super::seal::SealKey;
use super::secret::{Digest, Secret};

type HmacSha256 = Hmac<Sha256>;

/// Which master key a row was made under: a fingerprint, so that nodes need not agree on a numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyVersion(i32);

impl KeyVersion {
    #[must_use]
    pub const fn from_i32(value: i32) -> Self {
        Self(value)
    }

    #[must_use]
    pub const fn as_i32(self) -> i32 {
        self.0
    }
}

/// 32 bytes that everything else is derived from.
#[derive(Clone, Debug)]
pub struct MasterKey(Secret<[u8; 32]>);

/// A text that is not a master key.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a master key is 64 hexadecimal digits or 44 base64 characters (32 bytes)")]
pub struct NotAMasterKey;

impl MasterKey {
    #[must_use]
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Secret::new(entropy.secret()))
    }

    /// # Errors
    /// [`NotAMasterKey`] unless the text is 32 bytes as hexadecimal or base64; white space around it is ignored.
    pub fn parse(text: &str) -> Result<Self, NotAMasterKey> {
        use base64::Engine as _;
        let text = text.trim();
        let bytes = if text.len() == 64 {
            decode_hex(text)
        } else {
            base64::engine::general_purpose::STANDARD.decode(text).ok()
        };
        let bytes: [u8; 32] = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(NotAMasterKey)?;
        Ok(Self(Secret::new(bytes)))
    }

    /// The form that [`MasterKey::parse`] reads, for the key file.
    #[must_use]
    pub fn to_hex(&self) -> Secret<String> {
        let hex = self.0.expose_secret().iter().fold(String::with_capacity(64), |mut text, byte| {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
            text
        });
        Secret::new(hex)
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The bytes that pairs of hexadecimal digits stand for.
pub(super) fn decode_hex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The keys of one master key.
#[derive(Clone)]
pub struct Keys {
    version: KeyVersion,
    tag: HmacSha256,
    digest: HmacSha256,
    derive: HmacSha256,
    seal: SealKey,
}

impl Keys {
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(b"jeton/v1"), master.0.expose_secret());
        let mut fingerprint = [0; 4];
        hkdf.expand(b"key-version", &mut fingerprint).expect("4 bytes are within HKDF's limit");
        Self {
            version: KeyVersion(i32::from_be_bytes(fingerprint) & i32::MAX),
            tag: purpose(&hkdf, b"token-tag"),
            digest: purpose(&hkdf, b"secret-digest"),
            derive: purpose(&hkdf, b"derived-token"),
            seal: SealKey::new(&hkdf),
        }
    }

    #[must_use]
    pub const fn version(&self) -> KeyVersion {
        self.version
    }

    /// Eight bytes that prove that a token string was made here.
    #[must_use]
    pub fn tag(&self, message: &[u8]) -> u64 {
        let full = mac(&self.tag, &[message]);
        let (head, _) = full.split_first_chunk().expect("32 bytes hold 8");
        u64::from_be_bytes(*head)
    }

    /// What is stored of a secret.
    #[must_use]
    pub fn digest(&self, message: &[u8]) -> Digest {
        Digest::new(mac(&self.digest, &[message]))
    }

    /// For secrets that must be kept readable.
    #[must_use]
    pub const fn sealing(&self) -> &SealKey {
        &self.seal
    }

    /// Random-looking material that anyone who holds `secret` and this key can make again from `nonce`.
    #[must_use]
    pub fn derived(&self, secret: &[u8], nonce: &[u8; 32], purpose: &'static [u8]) -> DerivedMaterial {
        let prk = Secret::new(mac(&self.derive, &[nonce, secret]));
        let hkdf = Hkdf::<Sha256>::from_prk(prk.expose_secret()).expect("32 bytes are a PRK");
        let mut bytes = [0; 42];
        hkdf.expand(purpose, &mut bytes).expect("42 bytes are within HKDF's limit");
        let (id_random, secret) = bytes.split_at(10);
        DerivedMaterial {
            id_random: id_random.try_into().expect("split at 10"),
            secret: Secret::new(secret.try_into().expect("42 - 10 bytes")),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The random part of a token that was derived instead of drawn.
#[derive(Debug)]
pub struct DerivedMaterial {
    pub id_random: [u8; 10],
    pub secret: Secret<[u8; 32]>,
}

/// The current keys and, while a rotation is under way, the previous ones.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: Keys,
    previous: Option<Keys>,
}

impl KeyRing {
    #[must_use]
    pub fn new(current: &MasterKey, previous: Option<&MasterKey>) -> Self {
        Self { current: Keys::new(current), previous: previous.map(Keys::new) }
    }

    /// What new secrets are made under.
    #[must_use]
    pub const fn current(&self) -> &Keys {
        &self.current
    }

    /// The live keys, the current ones first.
    pub fn live(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    #[must_use]
    pub fn find(&self, version: KeyVersion) -> Option<&Keys> {
        self.live().find(|keys| keys.version == version)
    }

    /// A short text that is equal on nodes with the same current key and says nothing about it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        base62::push_limb(&mut text, u64::from(self.current.version.0.cast_unsigned()));
        text
    }
}

fn purpose(hkdf: &Hkdf<Sha256>, name: &[u8]) -> HmacSha256 {
    let mut key = Zeroizing::new([0; 32]);
    hkdf.expand(name, &mut *key).expect("32 bytes are within HKDF's limit");
    HmacSha256::new_from_slice(&*key).expect("HMAC takes a key of any length")
}

fn mac(key: &HmacSha256, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = key.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u64) -> MasterKey {
        MasterKey::generate(&Entropy::seeded(seed))
    }

    #[test]
    fn a_master_key_reads_as_hex_or_base64_and_nothing_else() {
        let hex = key(1).to_hex();
        let again = MasterKey::parse(&format!(" {}\n", hex.expose_secret())).unwrap();
        assert_eq!(again.to_hex().expose_secret(), hex.expose_secret());
        assert!(MasterKey::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").is_ok());
        for bad in ["", "abc", &"g".repeat(64), &"é".repeat(32), "AAAA"] {
            assert!(MasterKey::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn purposes_and_master_keys_do_not_share_output() {
        let (one, two) = (Keys::new(&key(1)), Keys::new(&key(2)));
        assert_ne!(one.version(), two.version());
        assert_ne!(one.tag(b"x"), two.tag(b"x"));
        assert_ne!(one.tag(b"x").to_be_bytes(), one.digest(b"x").as_bytes()[..8]);
        assert!(!one.digest(b"x").matches(&two.digest(b"x")));
    }

    #[test]
    fn derivation_repeats_for_equal_input_only() {
        let keys = Keys::new(&key(1));
        let derive = |secret: &[u8], nonce, purpose| *keys.derived(secret, nonce, purpose).secret.expose_secret();
        assert_eq!(derive(b"s", &[1; 32], b"access"), derive(b"s", &[1; 32], b"access"));
        assert_ne!(derive(b"s", &[1; 32], b"access"), derive(b"s", &[1; 32], b"refresh"));
        assert_ne!(derive(b"s", &[1; 32], b"access"), derive(b"s", &[2; 32], b"access"));
        assert_ne!(derive(b"s", &[1; 32], b"access"), derive(b"t", &[1; 32], b"access"));
    }

    #[test]
    fn debug_shows_no_key() {
        let ring = KeyRing::new(&key(1), Some(&key(2)));
        let shown = format!("{ring:?}{:?}", key(1));
        assert!(!shown.contains(key(1).to_hex().expose_secret().as_str()));
        assert!(!shown.contains("tag"));
    }
}

//! Sealing: for the few secrets that must be kept readable, because they are keys to check others with.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::entropy::Entropy;
use super::secret::Secret;

/// AES-256-GCM under a key that is derived from the master key; the nonce stands before the ciphertext.
#[derive(Clone)]
pub struct SealKey(std::sync::Arc<LessSafeKey>);

const NONCE_BYTES: usize = 12;

impl SealKey {
    pub(super) fn new(hkdf: &Hkdf<Sha256>) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        hkdf.expand(b"seal", &mut *key).expect("32 bytes are within HKDF's limit");
        let key = UnboundKey::new(&AES_256_GCM, &*key).expect("the key has the length of the algorithm");
        Self(std::sync::Arc::new(LessSafeKey::new(key)))
    }

    /// `purpose` and `owner` say what the secret is and whose: it opens for the same ones only.
    #[must_use]
    pub fn seal(&self, secret: &[u8], purpose: &str, owner: &[u8], entropy: &Entropy) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = entropy.secret();
        let mut sealed = secret.to_vec();
        let aad = Aad::from([purpose.as_bytes(), b"\0", owner].concat());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .expect("secrets are far shorter than the algorithm's limit");
        [&nonce[..], &sealed].concat()
    }

    /// `None` unless it was sealed under this key, for this purpose and owner.
    #[must_use]
    pub fn open(&self, sealed: &[u8], purpose: &str, owner: &[u8]) -> Option<Secret<Vec<u8>>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let mut body = Zeroizing::new(body.to_vec());
        let aad = Aad::from([purpose.as_bytes(), b"\0", owner].concat());
        let opened = self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut body).ok()?;
        Some(Secret::new(opened.to_vec()))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keys::{Keys, MasterKey};

    #[test]
    fn a_sealed_secret_opens_under_its_own_key_purpose_and_owner_only() {
        let keys = |seed| Keys::new(&MasterKey::generate(&Entropy::seeded(seed)));
        let (own, other) = (keys(1), keys(2));
        let sealed = own.sealing().seal(b"old key", "hmac", b"one", &Entropy::seeded(3));
        assert_eq!(own.sealing().open(&sealed, "hmac", b"one").unwrap().expose_secret(), b"old key");
        assert!(!sealed.windows(7).any(|window| window == b"old key"));
        assert!(other.sealing().open(&sealed, "hmac", b"one").is_none());
        assert!(own.sealing().open(&sealed, "other", b"one").is_none());
        assert!(own.sealing().open(&sealed, "hmac", b"two").is_none());
        let mut flipped = sealed.clone();
        flipped[14] ^= 1;
        assert!(own.sealing().open(&flipped, "hmac", b"one").is_none());
        assert!(own.sealing().open(&sealed[..5], "hmac", b"one").is_none());
    }
}

//! Secrets that are looked up by their digest: cookies, one-time links, form nonces.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::entropy::Entropy;
use super::secret::{Digest, Secret};

/// What a random secret is for: one that was made for something else is never found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Session,
    PasswordLink,
    Form,
}

/// 32 bytes from the operating system, as text for the browser and as a digest for the store.
///
/// The digest needs no key: nobody guesses 256 bits.
#[derive(Clone, Debug)]
pub struct RandomSecret {
    pub text: Secret<String>,
    pub digest: Digest,
}

impl RandomSecret {
    #[must_use]
    pub fn draw(purpose: Purpose, entropy: &Entropy) -> Self {
        let bytes: [u8; 32] = entropy.secret();
        Self { text: Secret::new(URL_SAFE_NO_PAD.encode(bytes)), digest: digest(purpose, &bytes) }
    }
}

/// The digest of a text that a browser has sent; `None` for one that was never made here.
#[must_use]
pub fn presented(purpose: Purpose, text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    Some(digest(purpose, &bytes))
}

fn digest(purpose: Purpose, bytes: &[u8; 32]) -> Digest {
    let label: &[u8] = match purpose {
        Purpose::Session => b"console session\0",
        Purpose::PasswordLink => b"password link\0",
        Purpose::Form => b"console form\0",
    };
    Digest::new(Sha256::new().chain_update(label).chain_update(bytes).finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_is_found_again_for_its_purpose_only() {
        let secret = RandomSecret::draw(Purpose::Session, &Entropy::seeded(1));
        let found = |purpose| presented(purpose, secret.text.expose_secret()).unwrap();
        assert!(found(Purpose::Session).matches(&secret.digest));
        assert!(!found(Purpose::PasswordLink).matches(&secret.digest));
        for nonsense in ["", "x", "\u{e9}", &"A".repeat(44)] {
            assert!(presented(Purpose::Session, nonsense).is_none());
        }
    }
}

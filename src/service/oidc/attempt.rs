//! A sign-in that has begun: what the browser carries while it is at the provider, sealed, so that any node can go on.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::domain::clock::Timestamp;
use crate::domain::entropy::Entropy;
use crate::domain::keys::KeyRing;
use crate::domain::secret::Secret;

/// How long a person may take at the provider.
pub(super) const LIFETIME: Duration = Duration::from_secs(600);
const PURPOSE: &str = "oidc sign-in";
/// A longer way back is forgotten: a cookie has 4096 bytes.
const MAX_NEXT_BYTES: usize = 1000;

/// What must come back, and what is kept for afterwards.
#[derive(Serialize, Deserialize)]
pub(super) struct Attempt {
    state: String,
    pub nonce: String,
    pub verifier: String,
    pub next: String,
    ends_ms: i64,
}

impl Attempt {
    pub(super) fn begin(next: &str, now: Timestamp, entropy: &Entropy) -> Self {
        let random = || URL_SAFE_NO_PAD.encode(entropy.secret::<32>());
        let next = if next.len() > MAX_NEXT_BYTES { "" } else { next };
        Self {
            state: random(),
            nonce: random(),
            verifier: random(),
            next: next.to_owned(),
            ends_ms: now.plus(LIFETIME).ms(),
        }
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// RFC 7636 §4.2, method `S256`.
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }

    pub(super) fn seal(&self, issuer: &str, keys: &KeyRing, entropy: &Entropy) -> Secret<String> {
        let plain = Secret::new(serde_json::to_vec(self).expect("texts and a number"));
        let sealed = keys.current().sealing().seal(plain.expose_secret(), PURPOSE, issuer.as_bytes(), entropy);
        Secret::new(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// `None` for one that was not begun here, with this provider, within [`LIFETIME`].
    pub(super) fn open(cookie: &str, issuer: &str, now: Timestamp, keys: &KeyRing) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let opened = keys.live().find_map(|keys| keys.sealing().open(&sealed, PURPOSE, issuer.as_bytes()))?;
        let attempt: Self = serde_json::from_slice(opened.expose_secret()).ok()?;
        (now.ms() < attempt.ends_ms).then_some(attempt)
    }

    /// Whether what comes back belongs to it.
    pub(super) fn is_of(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keys::MasterKey;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    #[test]
    fn an_attempt_opens_for_its_provider_under_a_live_key_until_its_end() {
        let entropy = Entropy::seeded(1);
        let (old, new) = (MasterKey::generate(&entropy), MasterKey::generate(&entropy));
        let (before, after) = (KeyRing::new(&old, None), KeyRing::new(&new, Some(&old)));
        let alone = KeyRing::new(&new, None);
        let attempt = Attempt::begin("/console/account", NOW, &entropy);
        let cookie = attempt.seal("https://id.test", &before, &entropy);
        let open = |issuer, now, keys| Attempt::open(cookie.expose_secret(), issuer, now, keys);
        let opened = open("https://id.test", NOW, &after).unwrap();
        assert_eq!((opened.next.as_str(), opened.is_of(attempt.state())), ("/console/account", true));
        assert!(!opened.is_of(&attempt.nonce) && !opened.is_of(""));
        assert!(open("https://other.test", NOW, &before).is_none());
        assert!(open("https://id.test", NOW, &alone).is_none());
        assert!(open("https://id.test", NOW.plus(LIFETIME), &before).is_none());
        assert!(Attempt::open("", "https://id.test", NOW, &before).is_none());
        assert!(cookie.expose_secret().len() < 3_000);
        let long = Attempt::begin(&"x".repeat(2_000), NOW, &entropy);
        assert_eq!(long.next, "");
    }

    /// RFC 7636, Appendix B.
    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        let mut attempt = Attempt::begin("", NOW, &Entropy::seeded(1));
        attempt.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}

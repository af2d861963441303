//! Creates that may be repeated: a call with an `Idempotency-Key` that is sent again gets the same answer and makes
//! nothing new, although only digests of its secrets are stored.
//!
//! The secrets are derived from the key, a stored nonce and a server key, as a refresh token's successor is.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Service;
use super::caller::Caller;
use super::error::ApiFailure;
use crate::domain::clock::Timestamp;
use crate::domain::keys::Keys;
use crate::domain::token_string::{MintedToken, TokenKind};
use crate::store::REPEATS_KEPT;
use crate::store::idempotency::Reservation;

/// The value of an `Idempotency-Key` header. What it made can be shown again to whoever has it and acts for the same user.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A text that is not an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Idempotency-Key is 1 to {MAX_KEY_CHARS} visible ASCII characters, given once")]
pub struct NotAnIdempotencyKey;

const MAX_KEY_CHARS: usize = 255;

impl std::str::FromStr for IdempotencyKey {
    type Err = NotAnIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, NotAnIdempotencyKey> {
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        let visible = bare.bytes().all(|byte| byte.is_ascii_graphic());
        ((1..=MAX_KEY_CHARS).contains(&bare.len()) && visible).then(|| Self(bare.to_owned())).ok_or(NotAnIdempotencyKey)
    }
}

impl std::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdempotencyKey")
    }
}

/// Where the secrets and the id of something new come from.
pub(super) enum Origination<'a> {
    /// Drawn, and never to be made again.
    Random(&'a Service),
    /// Derived, so that a repeat makes the same.
    Derived { service: &'a Service, keys: &'a Keys, key: &'a IdempotencyKey, reservation: Reservation },
}

impl Origination<'_> {
    pub(super) fn mint(&self, kind: TokenKind, end: Option<Timestamp>) -> MintedToken {
        match self {
            Self::Random(service) => service.codec.mint(kind, end, &service.entropy),
            Self::Derived { service, keys, key, reservation } => {
                let purpose: &'static [u8] = match kind {
                    TokenKind::Access => b"idempotency/access",
                    TokenKind::Refresh => b"idempotency/refresh",
                    TokenKind::Key => b"idempotency/key",
                    TokenKind::ClientSecret => b"idempotency/client-secret",
                };
                let material = keys.derived(key.0.as_bytes(), &reservation.nonce, purpose);
                service.codec.derive(keys, kind, end, &material)
            }
        }
    }

    /// The id that the first call has chosen, else `own`.
    pub(super) const fn id(&self, own: [u8; 16]) -> [u8; 16] {
        match self {
            Self::Random(_) => own,
            Self::Derived { reservation, .. } => reservation.target,
        }
    }

    /// When the first call came.
    pub(super) const fn at(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Random(_) => now,
            Self::Derived { reservation, .. } => reservation.created_at,
        }
    }
}

impl Service {
    /// Finds out whether the call is a repeat. `id` is what the new thing would be called.
    ///
    /// # Errors
    /// [`ApiFailure::KeyReused`] when the key was used for another request, and the store's.
    pub(super) async fn originate<'a>(
        &'a self,
        caller: &Caller,
        key: Option<&'a IdempotencyKey>,
        request: &impl Serialize,
        id: [u8; 16],
    ) -> Result<Origination<'a>, ApiFailure> {
        let Some(key) = key else {
            return Ok(Origination::Random(self));
        };
        let now = self.clock.now();
        let body = serde_json::to_vec(request).expect("a request is plain data");
        let own = Reservation {
            request_digest: Sha256::digest(body).into(),
            target: id,
            nonce: self.entropy.secret(),
            key_version: self.codec.keys().current().version(),
            created_at: now,
        };
        let digest = Sha256::new().chain_update(caller.user.id.as_bytes()).chain_update(&key.0).finalize().into();
        let reservation = self.store.reserve(digest, own, now.minus(REPEATS_KEPT)).await?;
        if reservation.request_digest != own.request_digest {
            return Err(ApiFailure::KeyReused);
        }
        let keys = self.codec.keys().find(reservation.key_version).ok_or(ApiFailure::KeyReused)?;
        Ok(Origination::Derived { service: self, keys, key, reservation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_bounded_and_quotes_are_not_part_of_them() {
        let read = |text: &str| text.parse::<IdempotencyKey>();
        assert_eq!(read("\"a-1\"").unwrap(), read("a-1").unwrap());
        assert!(read(&"x".repeat(255)).is_ok());
        for bad in ["", "\"\"", "a b", "caf\u{e9}", &"x".repeat(256)] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", read("secret").unwrap()), "IdempotencyKey");
    }
}

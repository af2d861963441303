//! The refresh family: the chain of refresh tokens of one grant, of which exactly one is current.
//!
//! Rotation is idempotent: the successor is derived from the presented token and a stored nonce, so that a
//! repeat inside the window gets the same pair although only digests are stored. Everything older is a replay
//! (RFC 9700 §4.14).

use std::time::Duration;

use super::clock::Timestamp;
use super::ids::TokenId;
use super::keys::KeyVersion;
use super::scope::Scopes;

/// The state of a family.
#[derive(Clone, Debug)]
pub struct Family {
    pub generation: i64,
    pub current: TokenId,
    /// How the current generation came to be; `None` for the first.
    pub rotation: Option<Rotation>,
}

/// One step from a refresh token to its successor: all that is needed to give the same answer again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub from: TokenId,
    pub nonce: [u8; 32],
    pub key_version: KeyVersion,
    pub at: Timestamp,
    /// The access token's end; the refresh token's is the grant's.
    pub access_expires_at: Timestamp,
    pub access_scopes: Scopes,
    /// Set by the first use of the successor: whoever rotated has got the answer.
    pub successor_used: bool,
}

/// What presenting a refresh token of this family means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// The current token: rotate.
    Current,
    /// The token before it, in time: give the same successor again.
    Retry(Rotation),
    /// Anything older: somebody else has a copy. The family must die.
    Replay,
}

impl Family {
    /// `window` is how long a rotation may be repeated.
    #[must_use]
    pub fn present(&self, token: TokenId, now: Timestamp, window: Duration) -> Presentation {
        if token == self.current {
            return Presentation::Current;
        }
        match &self.rotation {
            Some(rotation) if rotation.from == token && !rotation.successor_used && now < rotation.at.plus(window) => {
                Presentation::Retry(rotation.clone())
            }
            _ => Presentation::Replay,
        }
    }

    /// The family after a rotation to `successor`.
    #[must_use]
    pub fn rotated(&self, successor: TokenId, rotation: Rotation) -> Self {
        Self { generation: self.generation + 1, current: successor, rotation: Some(rotation) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    fn token(number: u8) -> TokenId {
        TokenId::from_bytes([number; 16])
    }

    fn rotation(from: u8, at: i64) -> Rotation {
        Rotation {
            from: token(from),
            nonce: [from; 32],
            key_version: KeyVersion::from_i32(1),
            at: Timestamp::from_ms(at),
            access_expires_at: Timestamp::from_ms(at + 3_600_000),
            access_scopes: Scopes::default(),
            successor_used: false,
        }
    }

    fn family() -> Family {
        Family { generation: 0, current: token(0), rotation: None }
    }

    #[test]
    fn the_window_ends_after_its_length_and_with_the_first_use_of_the_successor() {
        let rotated = family().rotated(token(1), rotation(0, 1_000));
        let present = |family: &Family, at| family.present(token(0), Timestamp::from_ms(at), WINDOW);
        assert!(matches!(present(&rotated, 30_999), Presentation::Retry(_)));
        assert_eq!(present(&rotated, 31_000), Presentation::Replay);
        let mut used = rotated;
        used.rotation.as_mut().unwrap().successor_used = true;
        assert_eq!(present(&used, 1_001), Presentation::Replay);
    }

    proptest! {
        /// After any number of rotations: one token rotates, at most its predecessor repeats, all others replay.
        #[test]
        fn exactly_one_token_is_current(rotations in 0u8..50, presented in 0u8..60, late: bool) {
            let mut state = family();
            for step in 0..rotations {
                state = state.rotated(token(step + 1), rotation(step, i64::from(step)));
            }
            let now = Timestamp::from_ms(i64::from(rotations) + if late { 60_000 } else { 0 });
            let expected_retry = !late && rotations > 0 && presented == rotations - 1;
            match state.present(token(presented), now, WINDOW) {
                Presentation::Current => prop_assert_eq!(presented, rotations),
                Presentation::Retry(_) => prop_assert!(expected_retry),
                Presentation::Replay => prop_assert!(presented != rotations && !expected_retry),
            }
            prop_assert_eq!(state.generation, i64::from(rotations));
        }
    }
}

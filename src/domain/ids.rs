//! Public identifiers: 16 bytes each, printed as a type prefix and 22 base62 digits.
//!
//! The prefix makes it impossible to use a user's id as a client's (RFC 9700 §4.15) or a grant's as a user's.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::base62;
use super::clock::Timestamp;
use super::entropy::Entropy;

/// A string that is not an id of the wanted type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {0} id")]
pub struct NotAnId(&'static str);

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What the printed form starts with.
            pub const PREFIX: &str = $prefix;

            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = String::with_capacity(Self::PREFIX.len() + 22);
                text.push_str(Self::PREFIX);
                base62::push_16(&mut text, &self.0);
                f.write_str(&text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.strip_prefix(Self::PREFIX)
                    .and_then(|digits| base62::read_16(digits.as_bytes()))
                    .map(Self)
                    .ok_or(NotAnId(stringify!($name)))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

public_id!(
    /// A tenant.
    WorkspaceId, "wks_"
);
public_id!(
    /// A process that validates from memory. Made anew at each start.
    NodeId, "nod_"
);
public_id!(
    /// A person with an account.
    UserId, "usr_"
);
public_id!(
    /// A client's row; what the client itself sends is its [`ClientId`].
    ClientKey, "clk_"
);
public_id!(
    /// One authorization. Sortable by its end, so that finished grants lie together in the index.
    GrantId, "grt_"
);
public_id!(
    /// One secret issued under a grant (`jti`). Sortable by its end. Safe to log.
    TokenId, ""
);
public_id!(
    /// One sign-in to the console; its cookie holds a secret of its own.
    ConsoleSessionId, "ses_"
);
public_id!(
    /// One line of the audit log, sortable by time.
    AuditId, "evt_"
);
public_id!(
    /// One refused request, sortable by time.
    RefusalId, "ref_"
);
public_id!(
    /// An API of a workspace.
    ApiId, "api_"
);
public_id!(
    /// A plan of a workspace.
    PlanId, "pln_"
);
public_id!(
    /// A receiver of events.
    WebhookId, "whk_"
);

public_id!(
    /// One import of tokens of an older system.
    ImportId, "imp_"
);

impl ImportId {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl WorkspaceId {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl UserId {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl ClientKey {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl WebhookId {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl AuditId {
    /// When the act happened, by the clock of the node that did it.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        let mut head = [0; 8];
        head[2..].copy_from_slice(&self.0[..6]);
        Timestamp::from_ms(i64::from_be_bytes(head))
    }

    /// The lowest id of an act at `moment` or later.
    #[must_use]
    pub fn floor(moment: Timestamp) -> Self {
        Self(lowest(moment))
    }

    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl ApiId {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl PlanId {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl ConsoleSessionId {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }
}

impl RefusalId {
    #[must_use]
    pub fn generate(now: Timestamp, entropy: &Entropy) -> Self {
        Self(created_at(now, entropy))
    }

    /// The lowest id of a refusal at `moment` or later.
    #[must_use]
    pub fn floor(moment: Timestamp) -> Self {
        Self(lowest(moment))
    }
}

impl NodeId {
    #[must_use]
    pub fn generate(entropy: &Entropy) -> Self {
        Self(entropy.secret())
    }
}

impl GrantId {
    /// `expires` is `None` for a grant without an end.
    #[must_use]
    pub fn generate(expires: Option<Timestamp>, entropy: &Entropy) -> Self {
        Self(expiring(expires, entropy.secret()))
    }

    /// The lowest id of a grant that ends at `moment` or later.
    #[must_use]
    pub fn floor(moment: Timestamp) -> Self {
        Self(lowest(moment))
    }
}

impl TokenId {
    /// `random` is drawn for a new token and derived for a repeatable one.
    #[must_use]
    pub fn new(expires: Option<Timestamp>, random: [u8; 10]) -> Self {
        Self(expiring(expires, random))
    }

    /// When the token ends; `None` when it never does. Public: it stands in the token string.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let mut head = [0; 8];
        head[2..].copy_from_slice(&self.0[..6]);
        let ms = u64::from_be_bytes(head);
        (ms != NEVER_MS).then(|| Timestamp::from_ms(ms.cast_signed()))
    }

    /// The lowest id of a token that ends at `moment` or later.
    #[must_use]
    pub fn floor(moment: Timestamp) -> Self {
        Self(lowest(moment))
    }
}

/// What a client calls itself (RFC 6749 §2.2): 1 to 128 visible ASCII characters, spaces inside allowed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Box<str>);

impl ClientId {
    pub const MAX_CHARS: usize = 128;

    #[must_use]
    pub fn generate(entropy: &Entropy) -> Self {
        let mut text = String::from("cli_");
        base62::push_16(&mut text, &entropy.secret());
        Self(text.into())
    }

    /// The one that a client of this key gets where it brings none.
    #[must_use]
    pub fn of(key: ClientKey) -> Self {
        let mut text = String::from("cli_");
        base62::push_16(&mut text, key.as_bytes());
        Self(text.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = NotAnId;

    /// Refuses what looks like a user's id, so that a `sub` can never name both.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let visible = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        // A path segment of dots would be normalized away in the client's own URL.
        let trimmed = text.trim_matches(' ').len() == text.len() && !matches!(text, "." | "..");
        if visible && trimmed && (1..=Self::MAX_CHARS).contains(&text.len()) && !text.starts_with(UserId::PREFIX) {
            Ok(Self(text.into()))
        } else {
            Err(NotAnId("client"))
        }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The expiry field of an id without an end: 48 bits, all ones.
const NEVER_MS: u64 = (1 << 48) - 1;

/// UUIDv7 (RFC 9562 §5.7): sortable by creation.
fn created_at(now: Timestamp, entropy: &Entropy) -> [u8; 16] {
    stamped(now.ms().max(0).cast_unsigned(), 7, entropy.secret())
}

/// UUIDv8 (RFC 9562 §5.8): 48-bit expiry in ms, then random bits.
fn expiring(expires: Option<Timestamp>, random: [u8; 10]) -> [u8; 16] {
    let ms = expires.map_or(NEVER_MS, |end| end.ms().max(0).cast_unsigned().min(NEVER_MS - 1));
    stamped(ms, 8, random)
}

fn lowest(moment: Timestamp) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&moment.ms().clamp(0, NEVER_MS.cast_signed()).to_be_bytes()[2..]);
    bytes
}

fn stamped(ms: u64, version: u8, random: [u8; 10]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    bytes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_id_prints_with_its_prefix_and_reads_back() {
        let id = UserId::generate(Timestamp::from_ms(1), &Entropy::seeded(1));
        assert!(id.to_string().starts_with("usr_"));
        assert_eq!(id.to_string().len(), 26);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().parse::<GrantId>().is_err());
        assert!("usr_".parse::<UserId>().is_err());
        assert!(format!("{id}0").parse::<UserId>().is_err());
    }

    #[test]
    fn token_ids_sort_by_expiry_and_never_sorts_last() {
        let entropy = Entropy::seeded(2);
        let at = |ms| TokenId::new(Some(Timestamp::from_ms(ms)), entropy.secret());
        let never = TokenId::new(None, entropy.secret());
        assert!(at(1_000) < at(1_001));
        assert!(at(i64::MAX) < never);
        assert!(at(1_000).to_string() < at(1_001).to_string());
        assert_eq!(at(1_000).expires_at(), Some(Timestamp::from_ms(1_000)));
        assert_eq!(never.expires_at(), None);
    }

    #[test]
    fn the_floor_lies_at_or_below_every_id_of_its_moment() {
        let moment = Timestamp::from_ms(1_900_000_000_000);
        let id = TokenId::new(Some(moment), [0; 10]);
        let before = TokenId::new(Some(moment.minus(Duration::from_millis(1))), [0xff; 10]);
        assert!(TokenId::floor(moment) <= id);
        assert!(before < TokenId::floor(moment));
    }

    #[test]
    fn a_client_id_cannot_look_like_a_user_id() {
        assert!("usr_0000000000000000000000".parse::<ClientId>().is_err());
        assert!("".parse::<ClientId>().is_err());
        assert!(" padded".parse::<ClientId>().is_err());
        assert!("caf\u{e9}".parse::<ClientId>().is_err());
        assert!("x".repeat(129).parse::<ClientId>().is_err());
        assert_eq!("a b+c/%:".parse::<ClientId>().unwrap().as_str(), "a b+c/%:");
    }
}

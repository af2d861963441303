//! Tokens of an older system: how they were kept there, and how a presented string is found again.
//!
//! Nothing of an imported token is stored as it came, except a bcrypt hash until its first good use: a digest under our own
//! key of the string, or of its hash, is both the proof and what is looked up.

mod credential;
mod foreign;
mod refusal;

pub use credential::{BadCredential, Credential, GivenCredential};
pub use foreign::{ForeignToken, MAX_FOREIGN_BYTES, MIN_FOREIGN_BYTES};
pub use refusal::Refusal;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use super::secret::Secret;

/// How the older system kept its tokens.
#[derive(Clone, Debug)]
pub enum Scheme {
    /// The token strings themselves.
    Plain,
    Sha256,
    Sha512,
    /// HMAC-SHA256 under a key of the older system.
    HmacSha256(Secret<Vec<u8>>),
    /// Slow and salted: a hint in the string tells which hash to try.
    Bcrypt,
}

impl Scheme {
    pub const NAMES: [&str; 5] = ["plain", "sha256", "sha512", "hmac-sha256", "bcrypt"];

    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::HmacSha256(_) => "hmac-sha256",
            Self::Bcrypt => "bcrypt",
        }
    }

    /// `key` is the key of `hmac-sha256`. `None` for an unknown name, and for a key that is missing or not wanted.
    #[must_use]
    pub fn from_parts(name: &str, key: Option<Secret<Vec<u8>>>) -> Option<Self> {
        match (name, key) {
            ("plain", None) => Some(Self::Plain),
            ("sha256", None) => Some(Self::Sha256),
            ("sha512", None) => Some(Self::Sha512),
            ("hmac-sha256", Some(key)) => Some(Self::HmacSha256(key)),
            ("bcrypt", None) => Some(Self::Bcrypt),
            _ => None,
        }
    }
}

/// What of a token string the older system has hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hashed {
    /// All of it.
    Token,
    /// What follows the first separator; what stands before it is the hint.
    Secret,
}

impl Hashed {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Secret => "secret",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Token, Self::Secret].into_iter().find(|hashed| hashed.as_str() == name)
    }
}

/// How to get from a presented string to what was imported.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub scheme: Scheme,
    pub hashed: Hashed,
    /// Between hint and secret: one of `. _ - ~ + /`.
    pub separator: char,
}

impl Recipe {
    #[must_use]
    pub const fn may_separate(c: char) -> bool {
        matches!(c, '.' | '_' | '-' | '~' | '+' | '/')
    }

    /// Whether each row must say what its token strings begin with.
    #[must_use]
    pub fn needs_hint(&self) -> bool {
        match self.scheme {
            Scheme::Plain => false,
            Scheme::Bcrypt => true,
            Scheme::Sha256 | Scheme::Sha512 | Scheme::HmacSha256(_) => self.hashed == Hashed::Secret,
        }
    }

    /// The part of `token` that was hashed.
    #[must_use]
    pub fn hashed_part<'t>(&self, token: &'t str) -> Option<&'t str> {
        match self.hashed {
            Hashed::Token => Some(token),
            Hashed::Secret => token.split_once(self.separator).map(|(_, secret)| secret),
        }
    }

    /// What `token` is looked up by, before it is digested under our own key. `None`: it can't be one of these.
    fn lookup_message(&self, token: &str) -> Option<Message> {
        let hint = token.split_once(self.separator).map(|(hint, _)| hint);
        let hint = if self.needs_hint() { hint? } else { "" };
        let part = self.hashed_part(token)?.as_bytes();
        Some(match &self.scheme {
            Scheme::Plain => message("plain", "", token.as_bytes()),
            Scheme::Sha256 => message("sha256", hint, &Sha256::digest(part)),
            Scheme::Sha512 => message("sha512", hint, &Sha512::digest(part)),
            Scheme::HmacSha256(key) => {
                let mac = Hmac::<Sha256>::new_from_slice(key.expose_secret()).expect("HMAC takes a key of any length");
                message("hmac-sha256", hint, &mac.chain_update(part).finalize().into_bytes())
            }
            Scheme::Bcrypt => message("hint", hint, b""),
        })
    }
}

type Message = Zeroizing<Vec<u8>>;

/// What is digested: unlike any message of our own token strings, and for each scheme another one.
fn message(kind: &str, hint: &str, material: &[u8]) -> Message {
    let mut message = Zeroizing::new(Vec::with_capacity(16 + kind.len() + hint.len() + material.len()));
    for part in [b"legacy/", kind.as_bytes(), b"\0", hint.as_bytes(), b"\0", material] {
        message.extend_from_slice(part);
    }
    message
}

/// A `b64token` (RFC 6750 §2.1): nothing else can be presented as a bearer token.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

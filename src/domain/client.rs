//! The OAuth client: what it may do and how it proves itself.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::clock::Timestamp;
use super::grant::{ClientRef, Revision, WorkspaceRef};
use super::ids::{ClientId, ClientKey};
use super::keys::KeyVersion;
use super::scope::Scopes;
use super::secret::Digest;

/// A grant type that the token endpoint serves (RFC 6749 §4, §6; RFC 8693 §2.1; the anonymous one is Jeton's own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantType {
    ClientCredentials,
    RefreshToken,
    Anonymous,
    TokenExchange,
}

impl GrantType {
    pub const ALL: [Self; 4] = [Self::ClientCredentials, Self::RefreshToken, Self::Anonymous, Self::TokenExchange];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::Anonymous => "urn:jeton:params:oauth:grant-type:anonymous",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }
}

/// How a client authenticates (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    Basic,
    Post,
    /// A public client: it only names itself.
    None,
}

impl AuthMethod {
    pub const ALL: [Self; 3] = [Self::Basic, Self::Post, Self::None];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// A word that names no grant type or authentication method of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not supported")]
pub struct Unsupported;

macro_rules! wire_word {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = Unsupported;

            fn from_str(text: &str) -> Result<Self, Unsupported> {
                Self::ALL.into_iter().find(|word| word.as_str() == text).ok_or(Unsupported)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

wire_word!(GrantType);
wire_word!(AuthMethod);

/// What is stored of a client secret.
#[derive(Clone, Copy, Debug)]
pub struct StoredSecret {
    pub digest: Digest,
    pub key_version: KeyVersion,
}

/// The secret before the current one, while a client's deployments change over.
#[derive(Clone, Copy, Debug)]
pub struct PreviousSecret {
    pub secret: StoredSecret,
    /// From this moment on it is refused.
    pub until: Timestamp,
}

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    pub key: ClientKey,
    pub client_id: ClientId,
    pub workspace: WorkspaceRef,
    pub name: String,
    pub auth_method: AuthMethod,
    pub secret: Option<StoredSecret>,
    pub previous_secret: Option<PreviousSecret>,
    pub grant_types: Vec<GrantType>,
    pub scopes: Scopes,
    pub redirect_uris: Vec<String>,
    /// May ask about any token of its workspace (RFC 7662 §2.1).
    pub introspect: bool,
    pub created_at: Timestamp,
    pub version: i64,
    /// The log position at which it was read as registered: what is issued to it dies by any later cut-off.
    pub as_of: Revision,
}

impl Client {
    #[must_use]
    pub fn reference(&self) -> ClientRef {
        ClientRef { key: self.key, client_id: self.client_id.clone(), name: self.name.clone() }
    }

    #[must_use]
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }
}

//! Signing in by an OpenID Connect provider: authorization code flow with PKCE (OpenID Connect Core §3.1, RFC 7636).
//!
//! `provider` talks to it, `id_token` judges what it says, `attempt` is what a browser carries meanwhile, `account` finds
//! the user, `sign_in` puts them together.

mod account;
mod attempt;
mod id_token;
mod metadata;
mod provider;
mod sign_in;

pub use account::NoAccount;
pub use provider::{Provider, ProviderFailure};
pub use sign_in::{Begun, Callback, OidcFailure};

use crate::domain::secret::Secret;

/// A provider, and what it may do here.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    pub issuer: String,
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<Secret<String>>,
    pub scopes: Vec<String>,
    /// What people call it.
    pub label: String,
    /// Where the provider sends people back to.
    pub redirect_uri: String,
    /// The name of the workspace whose users sign in by it.
    pub workspace: String,
    pub match_by: MatchBy,
    pub create_users: bool,
    pub groups_claim: String,
    /// Empty: roles are given here.
    pub admin_group: String,
}

/// How somebody is recognized who has not signed in before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchBy {
    /// By nothing: an administrator has noted their subject.
    Subject,
    /// By an address that the provider has verified.
    Email,
    /// By `preferred_username`.
    Username,
}

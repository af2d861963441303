//! The answers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Timestamp;
use crate::domain::ids::ClientId;
use crate::domain::policy::Credential;
use crate::domain::secret::Secret;
use crate::http::export::Record;
use crate::service::issue::Issued;
use crate::service::revoke::Receipt;
use crate::service::tokens::{Impact, TokenView};

/// A new token, or one with a new secret. What is secret in it is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenCreated)]
pub(crate) struct Created<'a> {
    pub token: TokenView<'a>,
    /// Of a policy of keys: the key itself
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<&'a str>,
    /// Seconds that the access token or the key has left; null when it does not end
    #[schema(required)]
    pub expires_in: Option<i64>,
    #[serde(flatten)]
    pub refresh: Refresh<'a>,
    /// How the replacement of the old secret was applied
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Receipt>,
}

/// How a pair is refreshed: `refresh_token` and `client_id` to the token endpoint. Of other tokens: nothing.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Refresh<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
}

impl<'a> Created<'a> {
    pub(crate) fn of(
        token: TokenView<'a>,
        issued: &'a Issued,
        credential: Credential,
        client_id: Option<&'a ClientId>,
        issuer: &str,
    ) -> Self {
        let secret = Secret::expose_secret(&issued.bearer.string).as_str();
        let (api_key, access_token) =
            if credential == Credential::Key { (Some(secret), None) } else { (None, Some(secret)) };
        let refresh = issued.refresh.as_ref().map(|refresh| Refresh {
            refresh_token: Some(refresh.string.expose_secret()),
            refresh_token_expires_in: issued.lifetime(refresh),
            client_id,
            token_endpoint: Some(format!("{issuer}/oauth20/token")),
        });
        let expires_in = issued.lifetime(&issued.bearer);
        Self { token, api_key, access_token, expires_in, refresh: refresh.unwrap_or_default(), revocation: None }
    }
}

/// A token that was edited, disabled or revoked, and how the change was applied.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenChanged)]
pub(crate) struct Changed<'a> {
    pub token: TokenView<'a>,
    pub revocation: Receipt,
}

/// The answer to an act that ends one token: what it is now, or, for a dry run, what it would change.
#[derive(ToSchema)]
#[schema(as = TokenEnded)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what acts::end answers")]
pub(crate) enum Ended<'a> {
    Done(Box<Changed<'a>>),
    Tried(Outcome<'a>),
}

/// What an act on one or many tokens changed, or would change.
#[derive(Serialize, ToSchema)]
#[schema(as = TokensChanged)]
pub(crate) struct Outcome<'a> {
    pub dry_run: bool,
    #[serde(flatten)]
    pub impact: &'a Impact,
    /// How the change was applied; absent for a dry run
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Receipt>,
}

/// All live tokens of an owner, revoked.
#[derive(Serialize, ToSchema)]
#[schema(as = TokensRevoked)]
pub(crate) struct AllRevoked<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'static str>,
    /// How many were alive; null where counting them would take longer than revoking them
    #[schema(required)]
    pub revoked: Option<u64>,
    #[serde(flatten)]
    pub outcome: Outcome<'a>,
}

impl Record for TokenView<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "policy",
        "status",
        "owner_type",
        "owner_id",
        "owner_name",
        "client_id",
        "workspace",
        "origin",
        "scopes",
        "apis",
        "plans",
        "extra_fields",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
        "revoked_by",
        "revoke_reason",
    ];

    fn cells(&self) -> Vec<String> {
        let time = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()).unwrap_or_default();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let (owner_type, owner_name) = match self.owner {
            crate::domain::grant::Owner::User { name, .. } => ("user", name),
            crate::domain::grant::Owner::Client(client) => ("client", &client.name),
        };
        vec![
            self.id.to_string(),
            text(self.name),
            self.policy.to_owned(),
            self.status.to_string(),
            owner_type.to_owned(),
            self.owner.subject(),
            owner_name.clone(),
            self.client_id.map(ToString::to_string).unwrap_or_default(),
            self.workspace.to_owned(),
            self.origin.as_str().to_owned(),
            self.scopes.to_string(),
            self.apis.join(" "),
            self.plans.join(" "),
            if self.extra_fields.is_empty() {
                String::new()
            } else {
                serde_json::to_string(self.extra_fields).expect("a JSON object serializes")
            },
            self.created_at.to_string(),
            time(self.expires_at),
            time(self.last_used_at),
            time(self.revoked_at),
            text(self.revoked_by),
            text(self.revoke_reason),
        ]
    }
}

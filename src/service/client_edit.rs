//! Edits of clients, and the change of their secrets.

use std::time::Duration;

use super::Service;
use super::caller::Caller;
use super::changes::Changes;
use super::client_fields::ClientFields;
use super::edit::IfMatch;
use super::error::ApiFailure;
use crate::domain::client::{AuthMethod, Client, PreviousSecret, StoredSecret};
use crate::domain::clock::Timestamp;
use crate::domain::lifetime::Lifetime;
use crate::domain::secret::Secret;
use crate::domain::token_string::TokenKind;
use crate::store::StoreError;
use crate::store::client_change::{ClientChange, UpdateClient};
use crate::store::revoke::{Revoke, Target};

/// What an edit changes: `None` leaves a field as it is.
#[derive(Debug, Default)]
pub struct EditClient {
    pub name: Option<String>,
    pub grant_types: Option<Vec<String>>,
    pub scopes: Option<Vec<String>>,
    pub redirect_uris: Option<Vec<String>>,
    pub introspect: Option<bool>,
}

/// A client with its new secret, which is shown this once.
#[derive(Debug)]
pub struct RotatedClient {
    pub client: Client,
    pub secret: Secret<String>,
    /// Until when the secret before is accepted too.
    pub previous_until: Option<Timestamp>,
}

/// For how long the old secret is accepted beside the new one where the caller does not say.
const DEFAULT_OVERLAP: Lifetime = Lifetime::from_secs(24 * 3600);
/// A secret that shall go and lives on for longer would be forgotten.
const MAX_OVERLAP: Lifetime = Lifetime::from_secs(30 * 24 * 3600);

impl Service {
    /// In force for the next request of the client.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::PreconditionFailed`], [`ApiFailure::Invalid`] with every field that can't be
    /// accepted, [`ApiFailure::Conflict`] for the workspace's own API client, or the store's.
    pub async fn edit_client(
        &self,
        caller: &Caller,
        client_id: &str,
        if_match: &IfMatch,
        edit: EditClient,
    ) -> Result<Client, ApiFailure> {
        let client = self.find_workspace_client(caller, client_id).await?;
        if_match.check(client.version)?;
        self.refuse_api_client(&client, "edited").await?;
        let edited = read_edit(&client, edit)?;
        let mut changes = Changes::default();
        changes.note("name", &client.name, &edited.name);
        changes.note("grant_types", &client.grant_types, &edited.grant_types);
        changes.note("scopes", &client.scopes, &edited.scopes);
        changes.note("redirect_uris", &client.redirect_uris, &edited.redirect_uris);
        changes.note("introspect", &client.introspect, &edited.introspect);
        if changes.is_empty() {
            return Ok(client);
        }
        self.write_client(caller, edited, "client.update", changes).await
    }

    /// Makes a new secret. The one before is accepted for `overlap` longer; zero ends it at once.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::Invalid`] for an overlap of more than 30 days, [`ApiFailure::Conflict`] for a
    /// public client, or the store's.
    pub async fn rotate_client_secret(
        &self,
        caller: &Caller,
        client_id: &str,
        overlap: Option<Lifetime>,
    ) -> Result<RotatedClient, ApiFailure> {
        let overlap = overlap.unwrap_or(DEFAULT_OVERLAP);
        if overlap > MAX_OVERLAP {
            return Err(ApiFailure::field("/overlap", format!("is at most {MAX_OVERLAP}")));
        }
        let client = self.find_workspace_client(caller, client_id).await?;
        let Some(current) = client.secret.filter(|_| client.auth_method != AuthMethod::None) else {
            return Err(ApiFailure::Conflict("a public client has no secret".into()));
        };
        let until = self.clock.now().plus(overlap.as_duration());
        let previous = (overlap.as_duration() > Duration::ZERO).then_some(PreviousSecret { secret: current, until });
        let minted = self.codec.mint(TokenKind::ClientSecret, None, &self.entropy);
        let secret = StoredSecret { digest: minted.digest, key_version: minted.key_version };
        let rotated = Client { secret: Some(secret), previous_secret: previous, ..client };
        let mut changes = Changes::default();
        changes.note_secret("client_secret", &format!("replaced, with an overlap of {overlap}"));
        let client = self.write_client(caller, rotated, "client.rotate_secret", changes).await?;
        Ok(RotatedClient { client, secret: minted.string, previous_until: previous.map(|previous| previous.until) })
    }

    async fn write_client(
        &self,
        caller: &Caller,
        client: Client,
        action: &'static str,
        changes: Changes,
    ) -> Result<Client, ApiFailure> {
        let audit = self.admin_event(caller, action, client.client_id.to_string()).with_detail(&changes.into_detail());
        let target = Target::Catalog(client.workspace.id);
        let revoke = Revoke { target, at: self.clock.now(), by: caller.actor(), reason: None, audit };
        let client_id = client.client_id.clone();
        let (change, _) = self.in_force(self.store.update_client(UpdateClient { client, revoke })).await?;
        let client = self.store.find_client(&client_id).await?.ok_or(ApiFailure::NotFound("client"))?;
        match change {
            ClientChange::Done => Ok(client),
            ClientChange::Stale => Err(ApiFailure::PreconditionFailed { current: client.version }),
        }
    }

    /// Whether it is the client that pairs of its workspace are refreshed with, which stays as it is.
    ///
    /// # Errors
    /// The store's.
    pub async fn is_api_client(&self, client: &Client) -> Result<bool, StoreError> {
        Ok(self.store.find_api_client(client.workspace.id).await?.key == client.key)
    }

    /// # Errors
    /// [`ApiFailure::Conflict`] for the client that pairs of the workspace are refreshed with, or the store's.
    pub(super) async fn refuse_api_client(&self, client: &Client, what: &str) -> Result<(), ApiFailure> {
        if self.is_api_client(client).await? {
            return Err(ApiFailure::Conflict(
                format!("API tokens of this workspace are refreshed with this client; it can't be {what}").into(),
            ));
        }
        Ok(())
    }
}

fn read_edit(client: &Client, edit: EditClient) -> Result<Client, ApiFailure> {
    let mut fields = ClientFields::default();
    let mut edited = client.clone();
    if let Some(name) = edit.name {
        edited.name = fields.name(&name);
    }
    if let Some(words) = edit.grant_types {
        edited.grant_types = fields.grant_types(&words);
    }
    if let Some(words) = edit.scopes {
        edited.scopes = fields.scopes(&words);
    }
    if let Some(uris) = edit.redirect_uris {
        fields.redirect_uris(&uris);
        edited.redirect_uris = uris;
    }
    edited.introspect = edit.introspect.unwrap_or(client.introspect);
    if client.auth_method == AuthMethod::None {
        fields.public(&edited.grant_types, edited.introspect);
    }
    fields.finish().map(|()| edited)
}

//! `/admin/v1/clients`: the workspace's OAuth clients.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::Service;
use super::caller::Caller;
use super::client_auth::imported_digest;
use super::client_fields::ClientFields;
use super::detail::{Detail, Reason};
use super::error::ApiFailure;
use super::idempotency::IdempotencyKey;
use super::reach::ReachView;
use super::revoke::Receipt;
use crate::domain::client::{AuthMethod, Client, GrantType, StoredSecret};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ClientId, ClientKey};
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::domain::token_string::TokenKind;
use crate::store::StoreError;
use crate::store::client::{ClientCursor, ClientFilter};
use crate::store::reach::Holder;
use crate::store::revoke::{Revoke, Target};

/// A client to register.
#[derive(Debug, Serialize)]
pub struct CreateClient {
    pub name: String,
    pub grant_types: Vec<String>,
    pub scopes: Vec<String>,
    pub redirect_uris: Vec<String>,
    pub auth_method: Option<String>,
    pub introspect: bool,
    /// Kept from another authorization server; else one is made.
    pub client_id: Option<String>,
    /// Kept from another authorization server; else one is made.
    #[serde(skip)]
    pub client_secret: Option<Secret<String>>,
}

/// A client that was made, with the secret to show once.
#[derive(Debug)]
pub struct CreatedClient {
    pub client: Client,
    pub secret: Option<Secret<String>>,
    /// An earlier call with this key has made it.
    pub repeated: bool,
}

/// A client as REST shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ClientView<'a> {
    pub client_id: &'a ClientId,
    pub name: &'a str,
    pub workspace: &'a str,
    pub grant_types: &'a [GrantType],
    pub scopes: &'a Scopes,
    pub redirect_uris: &'a [String],
    pub token_endpoint_auth_method: AuthMethod,
    pub introspect: bool,
    /// Until when the secret before the current one is accepted too.
    pub previous_secret_expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub version: i64,
}

impl<'a> ClientView<'a> {
    #[must_use]
    pub fn of(client: &'a Client) -> Self {
        Self {
            client_id: &client.client_id,
            name: &client.name,
            workspace: &client.workspace.name,
            grant_types: &client.grant_types,
            scopes: &client.scopes,
            redirect_uris: &client.redirect_uris,
            token_endpoint_auth_method: client.auth_method,
            introspect: client.introspect,
            previous_secret_expires_at: client.previous_secret.map(|previous| previous.until),
            created_at: client.created_at,
            version: client.version,
        }
    }
}

/// A deletion, or what it would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientDeleted)]
pub struct DeletedClient {
    pub client_id: ClientId,
    pub dry_run: bool,
    /// `null` where it could not be counted.
    pub reach: Option<ReachView>,
    /// How it was applied; not in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Receipt>,
}

/// Shorter secrets can be guessed faster than the digest slows anyone down.
const MIN_IMPORTED_SECRET_CHARS: usize = 32;
const MAX_IMPORTED_SECRET_CHARS: usize = 512;

impl Service {
    /// Registers a client; the secret is in the answer, once, and again for a repeat with the same key.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, [`ApiFailure::Conflict`] for a client id that
    /// is or was in use, [`ApiFailure::KeyReused`], or the store's.
    pub async fn create_client(
        &self,
        caller: &Caller,
        request: CreateClient,
        key: Option<&IdempotencyKey>,
    ) -> Result<CreatedClient, ApiFailure> {
        let mut client = self.read_client(caller, &request)?;
        let own = *client.key.as_bytes();
        let origination = self.originate(caller, key, &("client", &request), own).await?;
        client.key = ClientKey::from_bytes(origination.id(own));
        client.created_at = origination.at(client.created_at);
        if request.client_id.is_none() {
            client.client_id = ClientId::of(client.key);
        }
        let secret = match (client.auth_method, request.client_secret) {
            (AuthMethod::None, _) => None,
            (_, Some(imported)) => {
                let keys = self.codec.keys().current();
                let digest = imported_digest(keys, &imported);
                client.secret = Some(StoredSecret { digest, key_version: keys.version() });
                Some(imported)
            }
            (_, None) => {
                let minted = origination.mint(TokenKind::ClientSecret, None);
                client.secret = Some(StoredSecret { digest: minted.digest, key_version: minted.key_version });
                Some(minted.string)
            }
        };
        let target = client.client_id.to_string();
        let detail = json!({
            "name": client.name, "grant_types": client.grant_types, "scopes": client.scopes, "redirect_uris": client.redirect_uris,
            "token_endpoint_auth_method": client.auth_method, "introspect": client.introspect,
        });
        let audit = self.admin_event(caller, "client.create", target).with_detail(&detail);
        match self.store.insert_client(client.clone(), audit).await {
            Ok(()) => Ok(CreatedClient { client, secret, repeated: false }),
            Err(StoreError::Duplicate(_)) => {
                let made = self.store.find_client(&client.client_id).await?.filter(|made| made.key == client.key);
                let taken = || {
                    ApiFailure::Conflict(Detail::new(
                        Reason::ClientIdTaken,
                        "this client_id is or was in use; choose another",
                    ))
                };
                // The secret may have been changed since; then it is not shown again.
                let client = made.ok_or_else(taken)?;
                let secret = secret.filter(|secret| self.proves(&client, secret));
                Ok(CreatedClient { client, secret, repeated: true })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read_client(&self, caller: &Caller, request: &CreateClient) -> Result<Client, ApiFailure> {
        let mut fields = ClientFields::default();
        let name = fields.name(&request.name);
        let grant_types = fields.grant_types(&request.grant_types);
        let auth_method = fields.auth_method(request.auth_method.as_deref());
        if auth_method == AuthMethod::None {
            fields.public(&grant_types, request.introspect);
            if request.client_secret.is_some() {
                fields.bad("/client_secret", "a public client has no secret");
            }
        }
        let scopes = fields.scopes(&request.scopes);
        fields.redirect_uris(&request.redirect_uris);
        let client_id = match request.client_id.as_deref().map(str::parse::<ClientId>) {
            None => ClientId::generate(&self.entropy),
            Some(Ok(client_id)) => client_id,
            Some(Err(_)) => {
                fields.bad("/client_id", "is 1 to 128 visible ASCII characters and does not begin with usr_");
                ClientId::generate(&self.entropy)
            }
        };
        if let Some(secret) = &request.client_secret {
            let secret = secret.expose_secret();
            let long = (MIN_IMPORTED_SECRET_CHARS..=MAX_IMPORTED_SECRET_CHARS).contains(&secret.len());
            if !long || !secret.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
                fields.bad(
                    "/client_secret",
                    format!(
                        "is {MIN_IMPORTED_SECRET_CHARS} to {MAX_IMPORTED_SECRET_CHARS} visible ASCII characters; \
                         leave it out to have one made"
                    ),
                );
            }
        }
        fields.finish()?;
        let now = self.clock.now();
        Ok(Client {
            key: ClientKey::generate(now, &self.entropy),
            client_id,
            workspace: caller.workspace.clone(),
            name,
            auth_method,
            secret: None,
            previous_secret: None,
            grant_types,
            scopes,
            redirect_uris: request.redirect_uris.clone(),
            introspect: request.introspect,
            created_at: now,
            version: 1,
            as_of: caller.as_of,
        })
    }

    /// A page of the workspace's clients, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_clients(
        &self,
        caller: &Caller,
        filter: ClientFilter,
        after: ClientCursor,
        limit: u32,
    ) -> Result<(Vec<Client>, Option<ClientCursor>), ApiFailure> {
        let mut clients = self.store.list_clients(caller.workspace.id, filter, after, limit + 1).await?;
        let more = clients.len() > limit as usize;
        clients.truncate(limit as usize);
        let next = clients.last().filter(|_| more);
        let next = next.map(|last| ClientCursor { created_at: last.created_at, key: last.key });
        Ok((clients, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for another workspace's client, or the store's.
    pub async fn find_workspace_client(&self, caller: &Caller, client_id: &str) -> Result<Client, ApiFailure> {
        let Ok(client_id) = client_id.parse::<ClientId>() else {
            return Err(ApiFailure::NotFound("client"));
        };
        let client = self.store.find_client(&client_id).await?;
        let own = client.filter(|client| client.workspace.id == caller.workspace.id);
        own.ok_or(ApiFailure::NotFound("client"))
    }

    /// Deletes a client and revokes everything that was issued to it, or tells what that would be.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::Conflict`] for the workspace's own API client, or the store's.
    pub async fn delete_client(
        &self,
        caller: &Caller,
        client_id: &str,
        dry_run: bool,
    ) -> Result<DeletedClient, ApiFailure> {
        let client = self.find_workspace_client(caller, client_id).await?;
        self.refuse_api_client(&client, "deleted").await?;
        let (client_id, holder) = (client.client_id, Holder::Client(client.key));
        if dry_run {
            let reach = Some(self.reach_of(holder).await?);
            return Ok(DeletedClient { client_id, dry_run, reach, revocation: None });
        }
        let reach = self.reach_if_known(holder).await;
        let detail = json!({ "name": client.name, "tokens": reach.as_ref().map(|reach| reach.tokens) });
        let audit = self.admin_event(caller, "client.delete", client_id.to_string()).with_detail(&detail);
        let target = Target::Client(client.key);
        let revoke = Revoke { target, at: self.clock.now(), by: caller.actor(), reason: None, audit };
        let revocation = Some(self.write_revocation(revoke).await?.1);
        Ok(DeletedClient { client_id, dry_run, reach, revocation })
    }
}

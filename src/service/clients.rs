//! `/admin/v1/clients`: the workspace's OAuth clients.

use serde::Serialize;

use super::Service;
use super::caller::Caller;
use super::client_auth::imported_digest;
use super::error::{ApiFailure, FieldError};
use super::revoke::Receipt;
use crate::domain::client::{AuthMethod, Client, GrantType, StoredSecret};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ClientId, ClientKey};
use crate::domain::name::{MAX_NAME_CHARS, shown_text};
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::domain::token_string::TokenKind;
use crate::store::StoreError;
use crate::store::client::ClientCursor;
use crate::store::revoke::{Revoke, Target};

/// A client to register.
#[derive(Debug)]
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
    pub client_secret: Option<Secret<String>>,
}

/// A client as REST shows it.
#[derive(Debug, Serialize)]
pub struct ClientView<'a> {
    pub client_id: &'a ClientId,
    pub name: &'a str,
    pub workspace: &'a str,
    pub grant_types: &'a [GrantType],
    pub scopes: &'a Scopes,
    pub redirect_uris: &'a [String],
    pub token_endpoint_auth_method: AuthMethod,
    pub introspect: bool,
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
            created_at: client.created_at,
            version: client.version,
        }
    }
}

/// Shorter secrets can be guessed faster than the digest slows anyone down.
const MIN_IMPORTED_SECRET_CHARS: usize = 32;
const MAX_IMPORTED_SECRET_CHARS: usize = 512;
const MAX_REDIRECT_URI_CHARS: usize = 2000;
const MAX_REDIRECT_URIS: usize = 20;

impl Service {
    /// Registers a client; the secret is in the answer, once.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, [`ApiFailure::Conflict`] for a client id that
    /// is or was in use, or the store's.
    pub async fn create_client(
        &self,
        caller: &Caller,
        request: CreateClient,
    ) -> Result<(Client, Option<Secret<String>>), ApiFailure> {
        let mut client = self.read_client(caller, &request)?;
        let secret = match (client.auth_method, request.client_secret) {
            (AuthMethod::None, _) => None,
            (_, Some(imported)) => {
                let keys = self.codec.keys().current();
                let digest = imported_digest(keys, &imported);
                client.secret = Some(StoredSecret { digest, key_version: keys.version() });
                Some(imported)
            }
            (_, None) => {
                let minted = self.codec.mint(TokenKind::ClientSecret, None, &self.entropy);
                client.secret = Some(StoredSecret { digest: minted.digest, key_version: minted.key_version });
                Some(minted.string)
            }
        };
        let target = client.client_id.to_string();
        let audit = self.audit_event(&caller.context, caller.workspace.id, caller.actor(), "client.create", target);
        match self.store.insert_client(client.clone(), audit).await {
            Ok(()) => Ok((client, secret)),
            Err(StoreError::Duplicate(_)) => {
                Err(ApiFailure::Conflict("this client_id is or was in use; choose another".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read_client(&self, caller: &Caller, request: &CreateClient) -> Result<Client, ApiFailure> {
        let mut errors = Vec::new();
        let mut bad = |pointer: &str, detail: String| errors.push(FieldError::new(pointer, detail));
        let name = shown_text(&request.name, MAX_NAME_CHARS).unwrap_or_else(|error| {
            bad("/name", error.to_string());
            String::new()
        });
        let mut grant_types = Vec::new();
        for (index, word) in request.grant_types.iter().enumerate() {
            match word.parse::<GrantType>() {
                Ok(grant_type) if !grant_types.contains(&grant_type) => grant_types.push(grant_type),
                Ok(_) => {}
                Err(_) => bad(
                    &format!("/grant_types/{index}"),
                    format!("is one of: {}", GrantType::ALL.map(GrantType::as_str).join(", ")),
                ),
            }
        }
        let auth_method = match request.auth_method.as_deref().map(str::parse::<AuthMethod>) {
            None => AuthMethod::Basic,
            Some(Ok(method)) => method,
            Some(Err(_)) => {
                let all = AuthMethod::ALL.map(AuthMethod::as_str).join(", ");
                bad("/token_endpoint_auth_method", format!("is one of: {all}"));
                AuthMethod::Basic
            }
        };
        if auth_method == AuthMethod::None {
            if grant_types.contains(&GrantType::ClientCredentials) {
                bad("/grant_types", "a public client can't use client_credentials (RFC 6749 section 4.4)".to_owned());
            }
            if request.introspect {
                bad("/introspect", "a public client can't introspect: it proves nothing".to_owned());
            }
            if request.client_secret.is_some() {
                bad("/client_secret", "a public client has no secret".to_owned());
            }
        }
        let scopes = Scopes::from_words(&request.scopes).unwrap_or_else(|error| {
            bad("/scopes", error.to_string());
            Scopes::default()
        });
        if request.redirect_uris.len() > MAX_REDIRECT_URIS {
            bad("/redirect_uris", format!("has at most {MAX_REDIRECT_URIS} entries"));
        }
        for (index, uri) in request.redirect_uris.iter().enumerate() {
            if let Err(problem) = redirect_uri(uri) {
                bad(&format!("/redirect_uris/{index}"), problem.to_owned());
            }
        }
        let client_id = match request.client_id.as_deref().map(str::parse::<ClientId>) {
            None => ClientId::generate(&self.entropy),
            Some(Ok(client_id)) => client_id,
            Some(Err(_)) => {
                bad("/client_id", "is 1 to 128 visible ASCII characters and does not begin with usr_".to_owned());
                ClientId::generate(&self.entropy)
            }
        };
        if let Some(secret) = &request.client_secret {
            let secret = secret.expose_secret();
            let long = (MIN_IMPORTED_SECRET_CHARS..=MAX_IMPORTED_SECRET_CHARS).contains(&secret.len());
            if !long || !secret.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
                bad(
                    "/client_secret",
                    format!(
                        "is {MIN_IMPORTED_SECRET_CHARS} to {MAX_IMPORTED_SECRET_CHARS} visible ASCII characters; \
                         leave it out to have one made"
                    ),
                );
            }
        }
        if !errors.is_empty() {
            return Err(ApiFailure::Invalid(errors));
        }
        let now = self.clock.now();
        Ok(Client {
            key: ClientKey::generate(now, &self.entropy),
            client_id,
            workspace: caller.workspace.clone(),
            name,
            auth_method,
            secret: None,
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
        after: ClientCursor,
        limit: u32,
    ) -> Result<(Vec<Client>, Option<ClientCursor>), ApiFailure> {
        let mut clients = self.store.list_clients(caller.workspace.id, after, limit + 1).await?;
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

    /// Deletes a client and revokes everything that was issued to it.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::Conflict`] for the workspace's own API client, or the store's.
    pub async fn delete_client(&self, caller: &Caller, client_id: &str) -> Result<Receipt, ApiFailure> {
        let client = self.find_workspace_client(caller, client_id).await?;
        if self.store.find_api_client(caller.workspace.id).await?.key == client.key {
            return Err(ApiFailure::Conflict(
                "API tokens of this workspace are refreshed with this client; it can't be deleted".to_owned(),
            ));
        }
        let by = caller.actor();
        let target = client.client_id.to_string();
        let audit = self.audit_event(&caller.context, caller.workspace.id, by.clone(), "client.delete", target);
        let target = Target::Client(client.key);
        let revoke = Revoke { target, at: self.clock.now(), by, reason: None, audit };
        Ok(self.write_revocation(revoke).await?.1)
    }
}

/// RFC 6749 §3.1.2: absolute, without a fragment; RFC 9700 §2.6: https, or http on the loopback interface.
fn redirect_uri(uri: &str) -> Result<(), &'static str> {
    // The parser mends these; what is compared later is the text as it was given.
    if uri.len() > MAX_REDIRECT_URI_CHARS || uri.bytes().any(|byte| !(0x21..=0x7e).contains(&byte) || byte == b'\\') {
        return Err("is at most 2000 visible ASCII characters, without blanks and backslashes");
    }
    let Ok(parsed) = url::Url::parse(uri) else {
        return Err("is not an absolute URI");
    };
    if !parsed.username().is_empty() || parsed.password().is_some() || uri.contains('*') {
        return Err("can't have a user, a password or a wildcard");
    }
    let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match parsed.scheme() {
        _ if parsed.fragment().is_some() => Err("can't have a fragment"),
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => Err("must be https, except on the loopback interface"),
        "javascript" | "data" | "vbscript" | "file" | "blob" | "about" => Err("has a scheme that can't be a redirect"),
        scheme if scheme.contains('.') => Ok(()),
        _ => Err("a private-use scheme must contain a dot (RFC 8252 section 7.1)"),
    }
}

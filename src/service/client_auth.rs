//! Client authentication (RFC 6749 §2.3).

use std::sync::Arc;

use super::Service;
use super::error::{OAuthCode, OAuthFailure, refused};
use crate::domain::client::{AuthMethod, Client, StoredSecret};
use crate::domain::grant::Revision;
use crate::domain::ids::ClientId;
use crate::domain::keys::Keys;
use crate::domain::secret::{Digest, Secret};
use crate::domain::token_string::TokenKind;

/// What a request says of its client: at most one way, which the edge has made sure of.
#[derive(Debug)]
pub enum PresentedClient {
    /// `client_secret_basic` or `client_secret_post`.
    Secret {
        client_id: String,
        secret: Secret<String>,
    },
    /// `none`: the client only names itself.
    Named {
        client_id: String,
    },
    Nothing,
}

/// A client that has authenticated, or a public one that has named itself. Only [`Service::authenticate`] makes one.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    as_of: Revision,
}

impl AuthenticatedClient {
    /// The log position as of which the client was registered.
    #[must_use]
    pub const fn as_of(&self) -> Revision {
        self.as_of
    }

    /// Whether it has proven who it is; a public client never has.
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.client.auth_method != AuthMethod::None
    }
}

impl std::ops::Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Service {
    /// # Errors
    /// `invalid_client`, with the same words for an unknown client and a wrong secret.
    pub async fn authenticate(&self, presented: &PresentedClient) -> Result<AuthenticatedClient, OAuthFailure> {
        let (client_id, secret) = match presented {
            PresentedClient::Secret { client_id, secret } => (client_id, Some(secret)),
            PresentedClient::Named { client_id } => (client_id, None),
            PresentedClient::Nothing => {
                return refused(OAuthCode::InvalidClient, "client authentication is required");
            }
        };
        let failed = || refused(OAuthCode::InvalidClient, "the client is unknown or its secret is wrong");
        let Ok(client_id) = client_id.parse::<ClientId>() else {
            return failed();
        };
        let Some((client, as_of)) = self.find_client(&client_id).await? else {
            return failed();
        };
        match (secret, &client.secret) {
            (Some(secret), Some(_)) if self.proves(&client, secret) => {}
            (None, None) if client.auth_method == AuthMethod::None => {}
            _ => return failed(),
        }
        Ok(AuthenticatedClient { client, as_of })
    }

    async fn find_client(&self, id: &ClientId) -> Result<Option<(Arc<Client>, Revision)>, OAuthFailure> {
        let cache = &self.cache;
        if let Some(trusted) = self.trusted_now().await? {
            // The position first: what is found afterwards reflects at least everything up to it.
            let as_of = cache.applied();
            if let Some(client) = cache.find_client(&trusted, id) {
                return Ok(Some((client, as_of)));
            }
        }
        let fill = cache.begin_fill();
        let client = self.store.find_client(id).await?;
        self.require_lease()?;
        let Some(client) = client.map(Arc::new) else {
            return Ok(None);
        };
        cache.fill_client(fill, &client);
        let as_of = client.as_of;
        Ok(Some((client, as_of)))
    }

    /// Whether it is the client's secret, or the one before it while that is accepted. Both are compared in any case.
    pub(super) fn proves(&self, client: &Client, secret: &Secret<String>) -> bool {
        let now = self.clock.now();
        let previous = client.previous_secret.as_ref().filter(|previous| previous.until > now);
        let is_current = client.secret.as_ref().is_some_and(|stored| self.is_secret(secret, stored));
        let is_previous = previous.is_some_and(|previous| self.is_secret(secret, &previous.secret));
        is_current | is_previous
    }

    fn is_secret(&self, secret: &Secret<String>, stored: &StoredSecret) -> bool {
        // One that was made here by its own digest, one that came from another server by that of its text.
        let made_here = self.codec.parse(secret.expose_secret()).is_ok_and(|own| {
            own.kind == TokenKind::ClientSecret
                && own.key_version == stored.key_version
                && own.digest.matches(&stored.digest)
        });
        let keys = self.codec.keys().find(stored.key_version);
        made_here || keys.is_some_and(|keys| imported_digest(keys, secret).matches(&stored.digest))
    }
}

/// The digest of a client secret that another authorization server made. Its first byte keeps it apart from every
/// digest of a token string, which starts with the letter of its kind.
pub(super) fn imported_digest(keys: &Keys, secret: &Secret<String>) -> Digest {
    let mut message = zeroize::Zeroizing::new(Vec::with_capacity(secret.expose_secret().len() + 1));
    message.push(0);
    message.extend_from_slice(secret.expose_secret().as_bytes());
    keys.digest(&message)
}

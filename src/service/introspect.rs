//! Introspection (RFC 7662): the state of a token, for those who may ask about it.

use jeton_guard::Outcome;

use super::Service;
use super::client_auth::AuthenticatedClient;
use super::validate::Validated;
use crate::domain::grant::{Grant, WorkspaceRef};
use crate::domain::ids::ClientKey;
use crate::domain::token_string::TokenKind;
use crate::store::StoreError;

/// Who asks about a token.
#[derive(Clone, Debug)]
pub struct Asker {
    workspace: WorkspaceRef,
    client: Option<ClientKey>,
    /// May ask about every token of the workspace.
    all: bool,
}

impl Asker {
    /// A confidential client: its own tokens, or all of the workspace's where it is registered to introspect.
    #[must_use]
    pub fn client(client: &AuthenticatedClient) -> Self {
        Self { workspace: client.workspace.clone(), client: Some(client.key), all: client.introspect }
    }

    /// A bearer whose token has the scope `introspect`.
    #[must_use]
    pub fn bearer(validated: &Validated) -> Self {
        Self { workspace: validated.token().grant.workspace.clone(), client: None, all: true }
    }

    /// Refresh tokens are shown to their own client only: to a resource server they are no credential.
    fn may_see(&self, kind: TokenKind, grant: &Grant) -> bool {
        let own = self.client.is_some() && grant.client.as_ref().map(|client| client.key) == self.client;
        grant.workspace.id == self.workspace.id && (own || (self.all && kind != TokenKind::Refresh))
    }
}

/// RFC 7662 §2.2: nothing but this for a token that is not active, or not for this caller.
const INACTIVE: &[u8] = br#"{"active":false}"#;

impl Service {
    /// The answer as JSON.
    ///
    /// # Errors
    /// The store's: an outage is never an inactive token.
    pub async fn introspect(&self, asker: &Asker, token: &str) -> Result<Vec<u8>, StoreError> {
        match self.examine(token).await {
            Outcome::Active(validated) if asker.may_see(validated.token().kind, &validated.token().grant) => {
                // A resource server asks because somebody uses it there.
                if validated.token().kind != TokenKind::Refresh {
                    self.note_use(&validated);
                }
                let revision = validated.as_of.value();
                Ok(validated.token().introspection(validated.now, self.settings.cache_max_age, revision))
            }
            Outcome::Active(_) | Outcome::Inactive(_) => Ok(INACTIVE.to_vec()),
            Outcome::Unavailable(_) => Err(StoreError::Unavailable(None)),
        }
    }
}

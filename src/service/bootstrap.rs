//! The first start on an empty store: a workspace, its administrator, and a key for them.

use std::sync::Arc;

use super::{RequestContext, Service};
use crate::domain::client::{AuthMethod, Client, GrantType};
use crate::domain::grant::{Origin, Revision, SessionDetails, WorkspaceRef};
use crate::domain::ids::{ClientId, ClientKey, GrantId, UserId, WorkspaceId};
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::domain::token_string::TokenKind;
use crate::service::issue::Opening;
use crate::store::StoreError;
use crate::store::issue::Issue;
use crate::store::token::NewToken;
use crate::store::user::{NewUser, Role, User};
use crate::store::workspace::FirstRun;

/// What an empty store will start with, and the key that opens it.
#[derive(Debug)]
pub struct Bootstrap {
    pub admin_key: Secret<String>,
    first: FirstRun,
}

impl Service {
    /// Prepares the first workspace; nothing is stored yet, so that the key can be put in a safe place before.
    #[must_use]
    pub fn prepare_first_run(&self) -> Bootstrap {
        let (now, entropy) = (self.clock.now(), &self.entropy);
        let workspace = WorkspaceRef { id: WorkspaceId::generate(now, entropy), name: "default".into() };
        let user = User {
            id: UserId::generate(now, entropy),
            workspace: workspace.id,
            username: "admin".to_owned(),
            email: None,
            role: Role::Operator,
            tokens_allowed: true,
            has_password: false,
            created_at: now,
            version: 1,
        };
        let policy =
            self.policies.find(&self.settings.bootstrap_policy).expect("the configuration is checked at start");
        let end = policy.grant_end(None, now).unwrap_or(None);
        let grant = GrantId::generate(end, entropy);
        let key = self.codec.mint(TokenKind::Key, end, entropy);
        let opening = Opening {
            policy,
            workspace: &workspace,
            origin: Origin::Admin,
            name: Some("first administrator".to_owned()),
            user: Some(user.id),
            client: None,
            scopes: Scopes::default(),
            apis: Vec::new(),
            plans: Vec::new(),
            extra_fields: serde_json::Map::new(),
            session: SessionDetails::default(),
            as_of: Revision::ZERO,
        };
        let issue = Issue {
            grant: opening.into_row(grant, end, now),
            tokens: vec![NewToken::of(&key, grant, now)],
            audit: self.audit_event(
                &RequestContext::default(),
                workspace.id,
                "system".to_owned(),
                "workspace.create",
                workspace.id.to_string(),
            ),
        };
        let api_client = self.api_client(&workspace);
        let key_version = self.codec.keys().current().version();
        let user = NewUser { user, password_hash: None };
        let first = FirstRun { workspace, user, api_client, issue, key_version, at: now };
        Bootstrap { admin_key: key.string, first }
    }

    /// Stores what was prepared. False when another node was faster.
    ///
    /// # Errors
    /// The store's.
    pub async fn set_up(&self, bootstrap: Bootstrap) -> Result<bool, StoreError> {
        match self.store.set_up(Arc::new(bootstrap.first)).await {
            Ok(()) => Ok(true),
            Err(StoreError::Duplicate(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The public client that pairs of the workspace are refreshed with.
    fn api_client(&self, workspace: &WorkspaceRef) -> Client {
        let now = self.clock.now();
        let client_id = format!("{}-api-tokens", workspace.name).parse();
        Client {
            key: ClientKey::generate(now, &self.entropy),
            client_id: client_id.unwrap_or_else(|_| ClientId::generate(&self.entropy)),
            workspace: workspace.clone(),
            name: "API tokens".to_owned(),
            auth_method: AuthMethod::None,
            secret: None,
            previous_secret: None,
            grant_types: vec![GrantType::RefreshToken],
            scopes: Scopes::default(),
            redirect_uris: Vec::new(),
            introspect: false,
            created_at: now,
            version: 1,
            as_of: Revision::ZERO,
        }
    }
}

//! A new workspace with its first administrator and a key for them; the first start on an empty store makes one.

use std::sync::Arc;

use super::{RequestContext, Service};
use crate::domain::client::{AuthMethod, Client, GrantType};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Origin, Revision, SessionDetails, WorkspaceRef};
use crate::domain::ids::{ClientId, ClientKey, GrantId, UserId, WorkspaceId};
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::domain::token_string::{MintedToken, TokenKind};
use crate::service::issue::Opening;
use crate::store::StoreError;
use crate::store::issue::Issue;
use crate::store::token::NewToken;
use crate::store::user::{NewUser, Role, User};
use crate::store::workspace_change::{FirstRun, NewWorkspace};

/// What an empty store will start with, and the key that opens it.
#[derive(Debug)]
pub struct Bootstrap {
    pub admin_key: Secret<String>,
    first: FirstRun,
}

/// Who founds which workspace.
#[derive(Debug)]
pub(super) struct Founding<'a> {
    pub workspace: WorkspaceRef,
    pub at: Timestamp,
    pub username: String,
    pub email: Option<String>,
    pub role: Role,
    pub password_hash: Option<String>,
    /// What the public client that pairs are refreshed with calls itself.
    pub api_client: ClientId,
    pub actor: &'static str,
    pub context: &'a RequestContext,
}

impl Service {
    /// Prepares the first workspace; nothing is stored yet, so that the key can be put in a safe place before.
    #[must_use]
    pub fn prepare_first_run(&self) -> Bootstrap {
        let now = self.clock.now();
        let founding = Founding {
            workspace: WorkspaceRef { id: WorkspaceId::generate(now, &self.entropy), name: "default".into() },
            at: now,
            username: "admin".to_owned(),
            email: None,
            role: Role::Operator,
            password_hash: None,
            api_client: "default-api-tokens".parse().unwrap_or_else(|_| ClientId::generate(&self.entropy)),
            actor: "system",
            context: &RequestContext::default(),
        };
        let mint = |kind, end| self.codec.mint(kind, end, &self.entropy);
        let (new, admin_key) = self.prepare_workspace(founding, mint);
        Bootstrap { admin_key, first: FirstRun { new, key_version: self.codec.keys().current().version() } }
    }

    /// A workspace to store, and the key of its first administrator.
    pub(super) fn prepare_workspace(
        &self,
        founding: Founding<'_>,
        mint: impl FnOnce(TokenKind, Option<Timestamp>) -> MintedToken,
    ) -> (NewWorkspace, Secret<String>) {
        let (now, entropy, workspace) = (founding.at, &self.entropy, founding.workspace);
        let user = User {
            id: UserId::generate(now, entropy),
            workspace: workspace.id,
            username: founding.username,
            email: founding.email,
            role: founding.role,
            tokens_allowed: true,
            has_password: founding.password_hash.is_some(),
            created_at: now,
            version: 1,
            identity: None,
        };
        let policy =
            self.policies.find(&self.settings.bootstrap_policy).expect("the configuration is checked at start");
        let end = policy.grant_end(None, now).unwrap_or(None);
        let grant = GrantId::generate(end, entropy);
        let key = mint(TokenKind::Key, end);
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
            // Nobody can have cut off what is being made.
            as_of: Revision::ZERO,
        };
        let (actor, target) = (founding.actor.to_owned(), workspace.id.to_string());
        let issue = Issue {
            grant: opening.into_row(grant, end, now),
            tokens: vec![NewToken::of(&key, grant, now)],
            audit: self.audit_event(founding.context, workspace.id, actor, "workspace.create", target),
        };
        let api_client = self.api_client(&workspace, founding.api_client);
        let user = NewUser { user, password_hash: founding.password_hash };
        (NewWorkspace { workspace, user, api_client, issue, at: now }, key.string)
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
    fn api_client(&self, workspace: &WorkspaceRef, client_id: ClientId) -> Client {
        let now = self.clock.now();
        Client {
            key: ClientKey::generate(now, &self.entropy),
            client_id,
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

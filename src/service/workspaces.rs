//! `/admin/v1/workspaces` for operators, and `/admin/v1/workspace`, one's own, for administrators.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::Service;
use super::bootstrap::Founding;
use super::caller::{Caller, Operator};
use super::changes::Changes;
use super::edit::IfMatch;
use super::error::ApiFailure;
use super::idempotency::IdempotencyKey;
use super::reach::ReachView;
use super::revoke::Receipt;
use super::users::{UserView, read_email, read_password, read_username};
use crate::domain::clock::Timestamp;
use crate::domain::grant::WorkspaceRef;
use crate::domain::ids::{ClientId, TokenId, WorkspaceId};
use crate::domain::secret::Secret;
use crate::domain::workspace_name::WorkspaceName;
use crate::store::StoreError;
use crate::store::reach::Holder;
use crate::store::revoke::{Revoke, Target};
use crate::store::user::{Role, User};
use crate::store::workspace::{Workspace, WorkspaceCursor};
use crate::store::workspace_change::UpdateWorkspace;

/// A workspace to make, and its first administrator.
#[derive(Debug)]
pub struct CreateWorkspace {
    pub name: String,
    pub username: String,
    pub email: Option<String>,
    pub password: Option<Secret<String>>,
}

/// A workspace that was made; the key is shown this once.
#[derive(Debug)]
pub struct CreatedWorkspace {
    pub workspace: Workspace,
    pub admin: User,
    pub api_key: Secret<String>,
    /// With whom pairs of the workspace are refreshed.
    pub client_id: ClientId,
    /// An earlier call with this key has made it.
    pub repeated: bool,
}

/// A workspace as REST shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkspaceView<'a> {
    pub id: WorkspaceId,
    pub name: &'a str,
    /// Whether administrators may revoke tokens that are otherwise revoked by HTTP only.
    pub admin_override: bool,
    pub created_at: Timestamp,
    pub version: i64,
}

impl<'a> WorkspaceView<'a> {
    #[must_use]
    pub fn of(workspace: &'a Workspace) -> Self {
        Self {
            id: workspace.id,
            name: &workspace.name,
            admin_override: workspace.admin_override,
            created_at: workspace.created_at,
            version: workspace.version,
        }
    }
}

/// What a creation answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedWorkspaceView<'a> {
    pub workspace: WorkspaceView<'a>,
    pub admin: UserView<'a>,
    pub api_key: &'a str,
    pub client_id: &'a ClientId,
}

impl<'a> CreatedWorkspaceView<'a> {
    #[must_use]
    pub fn of(created: &'a CreatedWorkspace) -> Self {
        Self {
            workspace: WorkspaceView::of(&created.workspace),
            admin: UserView::within(&created.admin, &created.workspace.name),
            api_key: created.api_key.expose_secret(),
            client_id: &created.client_id,
        }
    }
}

/// A deletion, or what it would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedWorkspace {
    pub id: WorkspaceId,
    pub name: String,
    pub dry_run: bool,
    /// `null` where it could not be counted.
    pub reach: Option<ReachView>,
    /// How it was applied; not in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Receipt>,
}

impl Service {
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, [`ApiFailure::Conflict`] for a name that is or was in
    /// use, [`ApiFailure::KeyReused`], or the store's.
    pub async fn create_workspace(
        &self,
        operator: &Operator,
        request: CreateWorkspace,
        key: Option<&IdempotencyKey>,
    ) -> Result<CreatedWorkspace, ApiFailure> {
        // Not of the password: what is stored of it must stay expensive to guess.
        let has_password = request.password.is_some();
        let mut errors = Vec::new();
        let name = request.name.parse::<WorkspaceName>();
        let name = name.map_err(|error| errors.push(super::error::FieldError::new("/name", error.to_string())));
        let username = read_username(&request.username, "/admin/username", &mut errors);
        let email = request.email.as_deref().and_then(|text| read_email(text, "/admin/email", &mut errors));
        let password = request.password.and_then(|text| read_password(text, "/admin/password", &mut errors));
        let (Ok(name), Some(username), true) = (name, username, errors.is_empty()) else {
            return Err(ApiFailure::Invalid(errors));
        };
        let asked = ("workspace", &request.name, &request.username, &request.email, has_password);
        let own = *WorkspaceId::generate(self.clock.now(), &self.entropy).as_bytes();
        let origination = self.originate(operator, key, &asked, own).await?;
        let password_hash = match password {
            Some(password) => Some(self.passwords.hash(password, &self.entropy).await?),
            None => None,
        };
        let id = WorkspaceId::from_bytes(origination.id(own));
        let founding = Founding {
            workspace: WorkspaceRef { id, name: name.into_text() },
            at: origination.at(self.clock.now()),
            username,
            email,
            role: Role::Admin,
            password_hash,
            api_client: ClientId::generate(&self.entropy),
            // Whoever reads it must not learn an id of the operator's workspace.
            actor: "operator",
            context: &operator.context,
        };
        let (new, api_key) = self.prepare_workspace(founding, |kind, end| origination.mint(kind, end));
        let first_key = new.issue.tokens[0].id;
        let workspace = Workspace {
            id: new.workspace.id,
            name: new.workspace.name.to_string(),
            admin_override: false,
            created_at: new.at,
            version: 1,
        };
        let (admin, client_id) = (new.user.user.clone(), new.api_client.client_id.clone());
        let detail = json!({ "name": workspace.name, "admin": admin.username });
        let audit = self.admin_event(operator, "workspace.create", workspace.id.to_string()).with_detail(&detail);
        match self.store.insert_workspace(new, audit).await {
            Ok(()) => Ok(CreatedWorkspace { workspace, admin, api_key, client_id, repeated: false }),
            Err(StoreError::Duplicate(_)) => self
                .founded_before(id, first_key, api_key)
                .await?
                .ok_or_else(|| ApiFailure::Conflict("a workspace of this name is or was there; choose another".into())),
            Err(error) => Err(error.into()),
        }
    }

    /// What an earlier call with the same key has made, while its first administrator is there.
    async fn founded_before(
        &self,
        id: WorkspaceId,
        first_key: TokenId,
        api_key: Secret<String>,
    ) -> Result<Option<CreatedWorkspace>, StoreError> {
        let Some(workspace) = self.store.find_workspace(id).await? else { return Ok(None) };
        let issued = self.store.find_token(first_key).await?;
        let Some(admin) = issued.and_then(|token| token.grant.owner.user_id()) else { return Ok(None) };
        let Some(admin) = self.store.find_user(admin).await? else { return Ok(None) };
        let client_id = self.store.find_api_client(id).await?.client_id;
        Ok(Some(CreatedWorkspace { workspace, admin, api_key, client_id, repeated: true }))
    }

    /// A page of all workspaces, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_workspaces(
        &self,
        _: &Operator,
        text: String,
        after: WorkspaceCursor,
        limit: u32,
    ) -> Result<(Vec<Workspace>, Option<WorkspaceCursor>), ApiFailure> {
        let mut workspaces = self.store.list_workspaces(text, after, limit + 1).await?;
        let more = workspaces.len() > limit as usize;
        workspaces.truncate(limit as usize);
        let next = workspaces.last().filter(|_| more);
        let next = next.map(|last| WorkspaceCursor { created_at: last.created_at, id: last.id });
        Ok((workspaces, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn find_workspace(&self, _: &Operator, id: &str) -> Result<Workspace, ApiFailure> {
        match id.parse::<WorkspaceId>() {
            Ok(id) => self.store.find_workspace(id).await?.ok_or(ApiFailure::NotFound("workspace")),
            Err(_) => Err(ApiFailure::NotFound("workspace")),
        }
    }

    /// The caller's own workspace.
    ///
    /// # Errors
    /// The store's.
    pub async fn own_workspace(&self, caller: &Caller) -> Result<Workspace, ApiFailure> {
        self.store.find_workspace(caller.workspace.id).await?.ok_or(ApiFailure::NotFound("workspace"))
    }

    /// Edits the workspace that `workspace` was read as: the caller's own, or any for an operator.
    ///
    /// # Errors
    /// [`ApiFailure::PreconditionFailed`], or the store's.
    pub async fn edit_workspace(
        &self,
        caller: &Caller,
        workspace: Workspace,
        if_match: &IfMatch,
        admin_override: Option<bool>,
    ) -> Result<Workspace, ApiFailure> {
        if_match.check(workspace.version)?;
        let admin_override = admin_override.unwrap_or(workspace.admin_override);
        let mut changes = Changes::default();
        changes.note("admin_override", &workspace.admin_override, &admin_override);
        if changes.is_empty() {
            return Ok(workspace);
        }
        let id = workspace.id;
        let audit = self.admin_event(caller, "workspace.update", id.to_string()).with_detail(&changes.into_detail());
        let target = Target::Catalog(id);
        let revoke = Revoke { target, at: self.clock.now(), by: caller.actor(), reason: None, audit };
        let update = UpdateWorkspace { workspace: Workspace { admin_override, ..workspace }, revoke };
        if let (Some(edited), _) = self.in_force(self.store.update_workspace(update)).await? {
            return Ok(edited);
        }
        let current = self.store.find_workspace(id).await?.ok_or(ApiFailure::NotFound("workspace"))?;
        Err(ApiFailure::PreconditionFailed { current: current.version })
    }

    /// Deletes a workspace with all its tokens, or tells what that would be.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::Conflict`] for the operator's own, or the store's.
    pub async fn delete_workspace(
        &self,
        operator: &Operator,
        id: &str,
        dry_run: bool,
    ) -> Result<DeletedWorkspace, ApiFailure> {
        let Workspace { id, name, .. } = self.find_workspace(operator, id).await?;
        if id == operator.workspace.id {
            return Err(ApiFailure::Conflict("an operator can't delete the workspace that they belong to".into()));
        }
        let holder = Holder::Workspace(id);
        if dry_run {
            let reach = Some(self.reach_of(holder).await?);
            return Ok(DeletedWorkspace { id, name, dry_run, reach, revocation: None });
        }
        let reach = self.reach_if_known(holder).await;
        let detail = json!({ "name": name, "tokens": reach.as_ref().map(|reach| reach.tokens) });
        let audit = self.admin_event(operator, "workspace.delete", id.to_string()).with_detail(&detail);
        let target = Target::Workspace(id);
        let revoke = Revoke { target, at: self.clock.now(), by: operator.actor(), reason: None, audit };
        let revocation = Some(self.write_revocation(revoke).await?.1);
        Ok(DeletedWorkspace { id, name, dry_run, reach, revocation })
    }
}

//! Edits and deletions of users: versions, roles, and what goes with them.

use serde::Serialize;
use utoipa::ToSchema;

use super::Service;
use super::caller::Caller;
use super::changes::Changes;
use super::detail::{Detail, Reason};
use super::edit::IfMatch;
use super::error::{ApiFailure, FieldError};
use super::reach::ReachView;
use super::revoke::Receipt;
use super::users::{IdentityView, read_email, read_password, read_role};
use crate::domain::identity::{Identity, Subject};
use crate::domain::ids::UserId;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::store::StoreError;
use crate::store::reach::Holder;
use crate::store::revoke::{Revoke, Target};
use crate::store::user::{LinkedIdentity, User};
use crate::store::user_change::{DeleteUser, UpdateUser, UserChange};

/// What an edit changes: `None` leaves a field as it is.
#[derive(Debug, Default)]
pub struct EditUser {
    pub email: Option<Option<String>>,
    pub role: Option<String>,
    pub tokens_allowed: Option<bool>,
    pub password: Option<Option<Secret<String>>>,
    /// The user's subject at the provider that people sign in by.
    pub subject: Option<Option<String>>,
}

/// A deletion, or what it would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserDeleted)]
pub struct DeletedUser {
    pub id: UserId,
    pub dry_run: bool,
    /// `null` where it could not be counted.
    pub reach: Option<ReachView>,
    /// How it was applied; not in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Receipt>,
}

impl Service {
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::PreconditionFailed`], [`ApiFailure::Invalid`], [`ApiFailure::Forbidden`] for a
    /// role above the caller's, [`ApiFailure::Conflict`] for the last one with a role and for a subject that is another's, or
    /// the store's.
    pub async fn edit_user(
        &self,
        caller: &Caller,
        id: &str,
        if_match: &IfMatch,
        edit: EditUser,
    ) -> Result<User, ApiFailure> {
        let user = self.find_workspace_user(caller, id).await?;
        if_match.check(user.version)?;
        caller.may_change(&user)?;
        let (edited, password) = self.read_edit(&user, edit)?;
        caller.may_give(edited.role)?;
        let mut changes = Changes::default();
        changes.note("email", &user.email, &edited.email);
        changes.note("role", &user.role, &edited.role);
        changes.note("tokens_allowed", &user.tokens_allowed, &edited.tokens_allowed);
        changes.note("identity", &identity_view(&user), &identity_view(&edited));
        let ends_sessions = password.is_some() || user.identity != edited.identity;
        let password_hash = match password {
            None => None,
            Some(None) => {
                changes.note_secret("password", "removed");
                Some(None)
            }
            Some(Some(password)) => {
                changes.note_secret("password", "set");
                Some(Some(self.passwords.hash(password, &self.entropy).await?))
            }
        };
        if changes.is_empty() {
            return Ok(user);
        }
        let audit = self.admin_event(caller, "user.update", user.id.to_string()).with_detail(&changes.into_detail());
        let id = user.id;
        match self.store.update_user(UpdateUser { user: edited, password_hash, ends_sessions, audit }).await {
            Err(StoreError::Duplicate(_)) => Err(ApiFailure::Conflict(Detail::new(
                Reason::SubjectTaken,
                "another user of the workspace has this subject",
            ))),
            change => self.changed(change?, id).await,
        }
    }

    /// Deletes a user with everything that they hold, or tells what that would be.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::Forbidden`], [`ApiFailure::Conflict`] for the last one with a role, or the
    /// store's.
    pub async fn delete_user(&self, caller: &Caller, id: &str, dry_run: bool) -> Result<DeletedUser, ApiFailure> {
        let user = self.find_workspace_user(caller, id).await?;
        caller.may_change(&user)?;
        let (id, holder) = (user.id, Holder::User(user.id));
        if dry_run {
            let change = self.store.check_user_deletion(user).await?;
            self.changed(change, id).await?;
            return Ok(DeletedUser { id, dry_run, reach: Some(self.reach_of(holder).await?), revocation: None });
        }
        let reach = self.reach_if_known(holder).await;
        let detail = serde_json::json!({ "username": user.username, "role": user.role, "tokens": reach.as_ref().map(|reach| reach.tokens) });
        let audit = self.admin_event(caller, "user.delete", id.to_string()).with_detail(&detail);
        let target = Target::CutOff { subject: id.into(), policy: String::new(), marked: None };
        let revoke = Revoke { target, at: self.clock.now(), by: caller.actor(), reason: None, audit };
        let (change, receipt) = self.in_force(self.store.delete_user(DeleteUser { user, revoke })).await?;
        self.changed(change, id).await?;
        Ok(DeletedUser { id, dry_run, reach, revocation: receipt })
    }

    async fn changed<T>(&self, change: UserChange<T>, id: UserId) -> Result<T, ApiFailure> {
        match change {
            UserChange::Done(value) => Ok(value),
            UserChange::Gone => Err(ApiFailure::NotFound("user")),
            UserChange::Stale => {
                let current = self.store.find_user(id).await?.ok_or(ApiFailure::NotFound("user"))?;
                Err(ApiFailure::PreconditionFailed { current: current.version })
            }
            UserChange::Last(role) => Err(ApiFailure::Conflict(Detail::new(
                Reason::LastOfRole { role: role.as_str() },
                format!("nobody else in this workspace has the role {}", role.as_str()),
            ))),
        }
    }
}

type ReadEdit = (User, Option<Option<Password>>);

fn identity_view(user: &User) -> Option<IdentityView<'_>> {
    user.identity.as_ref().map(IdentityView::of)
}

impl Service {
    /// The user as the edit makes it, and the new password.
    fn read_edit(&self, user: &User, edit: EditUser) -> Result<ReadEdit, ApiFailure> {
        let mut errors = Vec::new();
        let email = edit.email.map(|email| email.and_then(|text| read_email(&text, "/email", &mut errors)));
        let role = edit.role.and_then(|word| read_role(&word, &mut errors));
        let password = edit.password.map(|text| text.and_then(|text| read_password(text, "/password", &mut errors)));
        let identity =
            edit.subject.map(|subject| subject.and_then(|text| self.read_identity(user, &text, &mut errors)));
        if !errors.is_empty() {
            return Err(ApiFailure::Invalid(errors));
        }
        let edited = User {
            email: email.unwrap_or_else(|| user.email.clone()),
            role: role.unwrap_or(user.role),
            tokens_allowed: edit.tokens_allowed.unwrap_or(user.tokens_allowed),
            identity: identity.unwrap_or_else(|| user.identity.clone()),
            ..user.clone()
        };
        Ok((edited, password))
    }

    /// Somebody at the provider that is configured. One who is this user already has been so since then.
    fn read_identity(&self, user: &User, text: &str, errors: &mut Vec<FieldError>) -> Option<LinkedIdentity> {
        const POINTER: &str = "/identity/subject";
        let subject = text.parse::<Subject>();
        let Some(provider) = &self.oidc else {
            errors
                .push(FieldError::new(POINTER, "there is no provider to be known to: console.oidc is not configured"));
            return None;
        };
        match subject {
            Ok(subject) => {
                let identity = Identity { issuer: provider.settings().issuer.clone(), subject };
                let same = user.identity.as_ref().filter(|linked| linked.identity == identity).cloned();
                Some(same.unwrap_or_else(|| LinkedIdentity { identity, linked_at: self.clock.now() }))
            }
            Err(error) => {
                errors.push(FieldError::new(POINTER, error));
                None
            }
        }
    }
}

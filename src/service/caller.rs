//! Who calls a management use case: a user, proven by a token of their own.

use super::error::{ApiFailure, FieldError};
use super::validate::Validated;
use super::{RequestContext, Service};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Origin, Revision, WorkspaceRef};
use crate::domain::scope::Scopes;
use crate::store::user::{Role, User};

/// A signed-in user. Only a validated token ([`Service::caller`]) or a session ([`Service::find_session`]) makes one.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) user: User,
    pub(super) workspace: WorkspaceRef,
    /// What the caller's own token is limited to; empty: nothing.
    scopes: Scopes,
    pub(super) context: RequestContext,
    /// As of when the user's credential was alive: what they create dies by any later cut-off.
    pub(super) as_of: Revision,
    /// The end of the credential that they act by: nothing that it makes may outlive it. `None` where it has none.
    ends: Option<Timestamp>,
    /// What they create came in by.
    pub(super) door: Origin,
}

/// A caller with the role operator: may act beyond their own workspace. Only [`Caller::into_operator`] makes one.
#[derive(Debug)]
pub struct Operator(Caller);

impl std::ops::Deref for Operator {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl Service {
    /// The user behind a validated token, if the token may act for them here.
    ///
    /// # Errors
    /// [`ApiFailure::Forbidden`] for a client's own token, for one that a user gave to a third party, and for a role
    /// below `at_least`.
    pub async fn caller(
        &self,
        validated: &Validated,
        at_least: Role,
        context: RequestContext,
    ) -> Result<Caller, ApiFailure> {
        let grant = &validated.token().grant;
        let Some(user) = grant.owner.user_id() else {
            return Err(ApiFailure::Forbidden("this needs a token of a user, and the token is a client's own"));
        };
        if grant.origin == Origin::Oauth && grant.parent.is_none() {
            return Err(ApiFailure::Forbidden("a token that was given to a client can't manage the user's tokens"));
        }
        let scopes = &validated.token().scopes;
        // Who else knows an imported token, its older system alone can tell: it manages only if that was asked for.
        if !scopes.contains(MANAGE) && (grant.origin == Origin::Import || !scopes.is_empty()) {
            return Err(ApiFailure::Forbidden(
                "a token that has scopes or was imported manages only with the scope jeton:manage among them",
            ));
        }
        let user = self.store.find_user(user).await?;
        let Some(user) = user.filter(|user| user.workspace == grant.workspace.id) else {
            return Err(ApiFailure::Forbidden("the user of this token has no account any more"));
        };
        if user.role < at_least {
            return Err(ApiFailure::Forbidden(match at_least {
                Role::Operator => "this needs the role operator",
                Role::Admin | Role::Member => "this needs the role admin in the workspace",
            }));
        }
        Ok(Caller {
            user,
            workspace: grant.workspace.clone(),
            scopes: scopes.clone(),
            context,
            as_of: validated.as_of,
            ends: validated.token().expires_at,
            door: Origin::Api,
        })
    }
}

/// What a token with scopes needs to manage tokens and clients: a token that was made for a resource server must not
/// take over the account of who made it.
const MANAGE: &str = "jeton:manage";
/// Asks about other people's tokens.
const INTROSPECT: &str = "introspect";

fn outliving(own: Timestamp) -> String {
    format!("outlives the token that this is made with, which ends at {own}; make it with a key, or signed in")
}

impl Caller {
    /// Somebody with a session of the console: all that the user may do.
    pub(super) fn signed_in(user: User, workspace: WorkspaceRef, as_of: Revision, context: RequestContext) -> Self {
        Self { user, workspace, scopes: Scopes::default(), context, as_of, ends: None, door: Origin::Console }
    }

    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }

    #[must_use]
    pub const fn workspace(&self) -> &WorkspaceRef {
        &self.workspace
    }

    /// # Errors
    /// [`ApiFailure::Forbidden`] unless the caller has the role.
    pub fn into_operator(self) -> Result<Operator, ApiFailure> {
        if self.user.role < Role::Operator {
            return Err(ApiFailure::Forbidden("this needs the role operator"));
        }
        Ok(Operator(self))
    }

    /// Why a token with these scopes can't be made by this caller.
    pub(super) fn scope_error(&self, wanted: &Scopes) -> Option<FieldError> {
        if !self.scopes.is_empty() && (wanted.is_empty() || !self.scopes.covers(wanted)) {
            return Some(FieldError::new("/scopes", "goes beyond the scopes of the token that this is made with"));
        }
        let forbidden = wanted.contains(INTROSPECT) && self.user.role < Role::Admin;
        forbidden.then(|| FieldError::new("/scopes", "introspect needs the role admin"))
    }

    /// Why a credential that ends at `end` can't be made by this caller. A token that leaks for an hour must not become
    /// one that its thief has for good.
    pub(super) fn outliving_error(&self, end: Option<Timestamp>) -> Option<FieldError> {
        let own = self.ends?;
        match end {
            Some(end) if end <= own => None,
            Some(_) => Some(FieldError::new("/lifetime", outliving(own))),
            None => Some(FieldError::new("/policy", outliving(own))),
        }
    }

    pub(super) const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The name of the workspace that the caller manages.
    #[must_use]
    pub fn workspace_name(&self) -> &str {
        &self.workspace.name
    }

    pub(super) fn is_admin(&self) -> bool {
        self.user.role >= Role::Admin
    }

    pub(super) fn actor(&self) -> String {
        format!("user:{}", self.user.id)
    }
}

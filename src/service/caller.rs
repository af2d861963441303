//! Who calls a management use case: a user, proven by a token of their own.

use super::error::ApiFailure;
use super::validate::Validated;
use super::{RequestContext, Service};
use crate::domain::grant::{Origin, Revision, WorkspaceRef};
use crate::store::user::{Role, User};

/// A signed-in user. Only [`Service::caller`] makes one.
#[derive(Debug)]
pub struct Caller {
    pub(super) user: User,
    pub(super) workspace: WorkspaceRef,
    pub(super) context: RequestContext,
    /// As of when the user's credential was alive: what they create dies by any later cut-off.
    pub(super) as_of: Revision,
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
        let user = self.store.find_user(user).await?;
        let Some(user) = user.filter(|user| user.workspace == grant.workspace.id) else {
            return Err(ApiFailure::Forbidden("the user of this token has no account any more"));
        };
        if user.role < at_least {
            return Err(ApiFailure::Forbidden("this needs the role admin in the workspace"));
        }
        Ok(Caller { user, workspace: grant.workspace.clone(), context, as_of: validated.as_of })
    }
}

impl Caller {
    pub(super) fn actor(&self) -> String {
        format!("user:{}", self.user.id)
    }
}

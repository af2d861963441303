//! Tokens as people manage them: their own at `/api/v1/tokens`, everybody's of the workspace at `/admin/v1/tokens`.
//!
//! Both are the same use cases; what differs is whose tokens they reach. A token is, to its user, what the rest of the
//! code calls a grant.

mod create;
mod edit;
mod end;
mod impact;
mod list;
mod owner;
mod revoke_all;
mod rotate;
mod view;

pub use create::{CreateToken, CreatedToken};
pub use edit::EditToken;
pub use end::{EndTokens, Ended, Ending, Selected};
pub use impact::{Impact, OwnerShare, Refused};
pub use list::TokenFilter;
pub use revoke_all::{AllRevoked, RevokeAll};
pub use rotate::{RotateToken, RotatedToken};
pub use view::TokenView;

use super::caller::Caller;
use super::error::ApiFailure;
use crate::domain::clock::Timestamp;
use crate::store::grant::GrantCursor;
use crate::store::grant_query::{Extent, GrantFilter, GrantQuery};

/// Whose tokens a call may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Reach {
    /// The caller's own.
    Own,
    /// Everybody's of the workspace; the caller is an administrator.
    Workspace,
}

/// Who manages tokens, and whose.
#[derive(Debug)]
pub struct Manager {
    caller: Caller,
    reach: Reach,
}

impl Manager {
    /// For the caller's own tokens.
    #[must_use]
    pub const fn own(caller: Caller) -> Self {
        Self { caller, reach: Reach::Own }
    }

    /// For all tokens of the workspace.
    ///
    /// # Errors
    /// [`ApiFailure::Forbidden`] for a caller who is no administrator.
    pub fn workspace(caller: Caller) -> Result<Self, ApiFailure> {
        if caller.is_admin() {
            Ok(Self { caller, reach: Reach::Workspace })
        } else {
            Err(ApiFailure::Forbidden("this needs the role admin in the workspace"))
        }
    }

    fn extent(&self) -> Extent {
        let user = match self.reach {
            Reach::Own => Some(self.caller.user.id),
            Reach::Workspace => None,
        };
        Extent { workspace: self.caller.workspace.id, user }
    }

    fn query(&self, filter: GrantFilter, now: Timestamp, limit: u32) -> GrantQuery {
        GrantQuery { extent: self.extent(), filter, now, after: GrantCursor::START, limit, window: None }
    }
}

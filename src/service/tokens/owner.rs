//! Whom an administrator makes a token for, or gives one to.

use crate::domain::grant::Revision;
use crate::domain::ids::{ClientId, ClientKey, UserId};
use crate::service::Service;
use crate::service::caller::Caller;
use crate::service::detail::{Detail, Reason};
use crate::service::error::ApiFailure;

/// A user or client of the caller's workspace, alive as of a log position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NewOwner {
    pub user: Option<UserId>,
    pub client: Option<ClientKey>,
    pub as_of: Revision,
}

impl Service {
    /// Finds the owner by user id or client id. Who has a higher role than the caller is out of reach: a token acts for
    /// its owner.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] at `/owner`, or the store's.
    pub(super) async fn read_owner(&self, caller: &Caller, text: &str) -> Result<NewOwner, ApiFailure> {
        let unknown =
            || ApiFailure::field("/owner", Detail::new(Reason::UnknownOwner, "is no user or client of this workspace"));
        // Before the owner is read: a cut-off that comes later than this reaches the token.
        let as_of = self.store.head().await?;
        if let Ok(id) = text.parse::<UserId>() {
            let user = self.store.find_user(id).await?.filter(|user| user.workspace == caller.workspace.id);
            let user = user.ok_or_else(unknown)?;
            if user.role > caller.user.role {
                return Err(ApiFailure::field(
                    "/owner",
                    Detail::new(Reason::OwnerAboveOneself, "has a higher role than the caller"),
                ));
            }
            return Ok(NewOwner { user: Some(user.id), client: None, as_of });
        }
        let client_id: ClientId = text.parse().ok().ok_or_else(unknown)?;
        let client = self.store.find_client(&client_id).await?;
        let client = client.filter(|client| client.workspace.id == caller.workspace.id).ok_or_else(unknown)?;
        Ok(NewOwner { user: None, client: Some(client.key), as_of })
    }
}

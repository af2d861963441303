//! Finding tokens: pages of them, and one.

use super::Manager;
use crate::domain::grant::Grant;
use crate::domain::ids::GrantId;
use crate::service::Service;
use crate::service::error::ApiFailure;
use crate::store::grant::GrantCursor;
use crate::store::grant_query::{GrantFilter, GrantQuery};

/// What tokens must be like to be listed.
pub type TokenFilter = GrantFilter;

impl Service {
    /// A page of tokens, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_tokens(
        &self,
        manager: &Manager,
        filter: TokenFilter,
        after: GrantCursor,
        limit: u32,
    ) -> Result<(Vec<Grant>, Option<GrantCursor>), ApiFailure> {
        let query = GrantQuery { after, ..manager.query(filter, self.clock.now(), limit + 1) };
        let mut grants = self.store.list_grants(query).await?;
        let more = grants.len() > limit as usize;
        grants.truncate(limit as usize);
        let next = grants.last().filter(|_| more);
        let next = next.map(|last| GrantCursor { created_at: last.created_at, id: last.id });
        Ok((grants, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for what the caller may not see, or the store's.
    pub async fn find_token(&self, manager: &Manager, id: GrantId) -> Result<Grant, ApiFailure> {
        let grant = self.store.find_grant(id).await?;
        grant.filter(|grant| manager.extent().holds(grant)).ok_or(ApiFailure::NotFound("token"))
    }
}

//! Finding tokens: pages of them, and one.

use super::Manager;
use crate::domain::grant::Grant;
use crate::domain::ids::GrantId;
use crate::service::Service;
use crate::service::error::ApiFailure;
use crate::store::grant::GrantCursor;
use crate::store::grant_query::{GrantFilter, GrantQuery, Listed};

/// Tokens that are looked at for one page, so that a filter which fits few of a million answers as fast as any.
pub(super) const WINDOW: u32 = 20_000;

/// What tokens must be like to be listed.
pub type TokenFilter = GrantFilter;

impl Service {
    /// A page of tokens, newest first, and where the next page starts. It may have fewer tokens than `limit`, or none,
    /// and there may be more all the same: no page looks at more than 20 000 of them.
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
        let window = filter.is_selective().then_some(WINDOW);
        let query = GrantQuery { after, window, ..manager.query(filter, self.clock.now(), limit + 1) };
        let Listed { mut grants, looked_to } = self.store.list_grants(query).await?;
        let more = grants.len() > limit as usize;
        grants.truncate(limit as usize);
        let last = grants.last().filter(|_| more);
        let next = last.map(|last| GrantCursor { created_at: last.created_at, id: last.id }).or(looked_to);
        Ok((grants, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for what the caller may not see, or the store's.
    pub async fn find_token(&self, manager: &Manager, id: GrantId) -> Result<Grant, ApiFailure> {
        let grant = self.store.find_grant(id).await?;
        grant.filter(|grant| manager.extent().holds(grant)).ok_or(ApiFailure::NotFound("token"))
    }
}

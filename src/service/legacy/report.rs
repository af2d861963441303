//! Which imported tokens are still in use, and by whom.

use std::time::Duration;

use serde::Serialize;

use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Owner, Status};
use crate::domain::ids::{GrantId, ImportId};
use crate::domain::scope::Scopes;
use crate::service::Service;
use crate::service::caller::Caller;
use crate::service::error::ApiFailure;

/// What revoking an import reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = LegacyImportReach)]
pub struct Reach {
    pub matched: i64,
    pub used_last_7_days: i64,
    pub owners: i64,
}

/// An imported token that was used.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = LegacyTokenInUse)]
pub struct StillUsed<'a> {
    pub id: GrantId,
    pub name: Option<&'a str>,
    pub owner: &'a Owner,
    pub scopes: &'a Scopes,
    pub status: Status,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

impl<'a> StillUsed<'a> {
    #[must_use]
    pub fn of(grant: &'a Grant, now: Timestamp) -> Self {
        Self {
            id: grant.id,
            name: grant.name.as_deref(),
            owner: &grant.owner,
            scopes: &grant.scopes,
            status: grant.status(now),
            created_at: grant.created_at,
            last_used_at: grant.last_used_at,
            expires_at: grant.expires_at,
        }
    }
}

impl Service {
    /// A page of the import's tokens that were used at `since` or later (since they were imported, where that is not
    /// given), and where the next page starts.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn imported_in_use(
        &self,
        caller: &Caller,
        id: ImportId,
        since: Option<Timestamp>,
        after: GrantId,
        limit: u32,
    ) -> Result<(Vec<Grant>, Option<GrantId>), ApiFailure> {
        let import = self.find_workspace_import(caller, id).await?;
        let since = since.unwrap_or(import.new.created_at);
        let mut grants = self.store.list_grants_in_use(id, since, after, limit + 1).await?;
        let more = grants.len() > limit as usize;
        grants.truncate(limit as usize);
        let next = grants.last().filter(|_| more).map(|last| last.id);
        Ok((grants, next))
    }

    /// Those of the import's tokens that were used in the last `days` days, the one used last first; and whether there are
    /// more.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn imported_last_used(
        &self,
        caller: &Caller,
        id: ImportId,
        days: u32,
        limit: u32,
    ) -> Result<(Vec<Grant>, bool), ApiFailure> {
        let import = self.find_workspace_import(caller, id).await?;
        let since = self.clock.now().minus(Duration::from_secs(u64::from(days) * 86_400));
        let mut grants = self.store.list_last_used(import.new.id, since, limit + 1).await?;
        let more = grants.len() > limit as usize;
        grants.truncate(limit as usize);
        Ok((grants, more))
    }
}

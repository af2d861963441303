//! Look before you cut: what a mass revocation reaches, told before and with it.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::Service;
use crate::domain::clock::Timestamp;
use crate::domain::ids::GrantId;
use crate::store::StoreError;
use crate::store::reach::{Holder, Reach};

/// A token that was used within this time is in use.
pub(super) const IN_USE: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a revocation of everything reaches, as REST shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Reach)]
pub struct ReachView {
    /// Live tokens, counted up to a hundred thousand.
    pub tokens: u64,
    pub used_last_7_days: u64,
    /// False where there are more than were counted.
    pub counted_all: bool,
    /// Those that were used last, newest first, at most 20.
    pub recently_used: Vec<RecentlyUsed>,
}

/// A token that is in use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecentlyUsed {
    pub id: GrantId,
    pub name: Option<String>,
    pub last_used_at: Timestamp,
}

impl From<Reach> for ReachView {
    fn from(reach: Reach) -> Self {
        let recent = reach.recent.into_iter();
        Self {
            tokens: reach.tokens,
            used_last_7_days: reach.used,
            counted_all: reach.complete,
            recently_used: recent
                .map(|used| RecentlyUsed { id: used.id, name: used.name, last_used_at: used.last_used_at })
                .collect(),
        }
    }
}

impl Service {
    /// # Errors
    /// The store's.
    pub(super) async fn reach_of(&self, holder: Holder) -> Result<ReachView, StoreError> {
        let now = self.clock.now();
        Ok(self.store.find_reach(holder, now, now.minus(IN_USE)).await?.into())
    }

    /// As [`Service::reach_of`], for a revocation that happens: it is only told, so that neither its cost nor its failure
    /// may keep the revocation from happening.
    pub(super) async fn reach_if_known(&self, holder: Holder) -> Option<ReachView> {
        let reach = self.reach_of(holder).await;
        reach.inspect_err(|error| tracing::warn!(error = ?error, "tokens to revoke could not be counted")).ok()
    }
}

//! The rules of a grant: those that it was issued under, also when the configuration has others by now.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::Service;
use crate::domain::grant::Grant;
use crate::domain::policy::{Policy, PolicyVersion};
use crate::store::StoreError;

/// Policies with rules that are not those of the configuration, as they were read.
#[derive(Debug, Default)]
pub struct PinnedPolicies(RwLock<HashMap<PolicyVersion, Arc<Policy>>>);

/// An operator changes policies a few times a year; more versions than this are not kept in memory.
const MAX_PINNED: usize = 1000;

impl Service {
    /// The policy that `grant` was issued under. `None` when neither its rules nor its name are known any more.
    ///
    /// # Errors
    /// The store's.
    pub async fn policy_of(&self, grant: &Grant) -> Result<Option<Arc<Policy>>, StoreError> {
        let current = self.policies.find(&grant.policy);
        // Grants from before rules were kept have those in force.
        let Some(version) = grant.policy_version else {
            return Ok(current.cloned());
        };
        if let Some(current) = current.filter(|current| current.version == version) {
            return Ok(Some(Arc::clone(current)));
        }
        let known = self.pinned_policies.0.read().unwrap_or_else(PoisonError::into_inner).get(&version).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let Some(found) = self.store.find_policy(version).await?.map(Arc::new) else {
            return Ok(current.cloned());
        };
        let mut pinned = self.pinned_policies.0.write().unwrap_or_else(PoisonError::into_inner);
        if pinned.len() < MAX_PINNED {
            pinned.insert(version, Arc::clone(&found));
        }
        Ok(Some(found))
    }
}

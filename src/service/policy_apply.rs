//! Puts living grants of a policy under the rules that are in force now: an operator's act, never a matter of course.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::Service;
use super::caller::Operator;
use super::error::ApiFailure;
use super::revoke::{Receipt, start};
use crate::domain::ids::GrantId;
use crate::store::policy_apply::ApplyRules;

/// What applying the current rules has changed, or would.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppliedPolicy {
    pub name: String,
    /// The rules that are in force.
    pub version: String,
    pub dry_run: bool,
    /// Living grants that were under other rules of this policy, in every workspace.
    pub grants: u64,
    /// How it was applied; not in a dry run, and not where there was nothing to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Receipt>,
}

impl Service {
    /// Part by part: what is interrupted is taken up again by a repeat.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn apply_policy(
        &self,
        operator: &Operator,
        name: &str,
        dry_run: bool,
    ) -> Result<AppliedPolicy, ApiFailure> {
        let policy = self.policies.find(name).ok_or(ApiFailure::NotFound("policy"))?;
        let (now, started) = (self.clock.now(), start());
        let mut rules = ApplyRules {
            policy: Arc::clone(&policy.name),
            version: policy.version,
            after: GrantId::floor(now),
            at: now,
        };
        let mut answer = AppliedPolicy {
            name: policy.name.to_string(),
            version: policy.version.to_string(),
            dry_run,
            grants: 0,
            revocation: None,
        };
        if dry_run {
            answer.grants = self.store.count_under_other_rules(rules).await?;
            return Ok(answer);
        }
        let mut revision = None;
        loop {
            let audit = self.admin_event(operator, "policy.apply", policy.name.to_string());
            let (part, applied) = self.store.apply_rules(rules.clone(), audit).await?;
            answer.grants += part.grants;
            revision = applied.last().map(|applied| applied.revision).or(revision);
            match part.next {
                Some(next) => rules.after = next,
                None => break,
            }
        }
        if revision.is_some() {
            answer.revocation = Some(self.receipt_of(revision, started).await?);
        }
        Ok(answer)
    }
}

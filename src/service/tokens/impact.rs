//! What an act changes, told before it is done and after: how many tokens, whose, and which were used lately.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Owner};
use crate::domain::ids::GrantId;
use crate::service::detail::Detail;

/// The tokens that an act is about, and those that it changes.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = TokenImpact)]
pub struct Impact {
    /// Tokens that were named, or that the filter matches.
    pub matched: u64,
    /// Tokens that the act changes: not those which are already so, and all that a policy says go with them.
    pub changed: u64,
    /// How many of the changed ones were used in the last seven days: somebody may still need them.
    pub used_last_7_days: u64,
    /// Whose the changed ones are: those with the most, and how many owners there are in all.
    pub owners: Vec<OwnerShare>,
    pub owner_count: u64,
    /// Tokens that this call may not change, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// Ids that name no token of the caller's reach.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<GrantId>,
}

/// An owner's part.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OwnerShare {
    pub owner: Owner,
    pub tokens: u64,
}

/// A token that can't be changed in this way.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TokenRefused)]
pub struct Refused {
    pub id: GrantId,
    #[schema(value_type = String)]
    pub detail: Detail,
}

/// A use within this time means that somebody may miss the token.
pub(super) use crate::service::reach::IN_USE as LATELY;
/// More owners than this are counted, not named.
const NAMED_OWNERS: usize = 20;

/// Gathers an impact, token by token.
#[derive(Debug)]
pub(super) struct Tally {
    since: Timestamp,
    impact: Impact,
    owners: HashMap<String, OwnerShare>,
}

impl Tally {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now.minus(LATELY), impact: Impact::default(), owners: HashMap::new() }
    }

    pub(super) fn matched(&mut self, count: usize) {
        self.impact.matched += count as u64;
    }

    pub(super) fn change(&mut self, grant: &Grant) {
        let used = grant.last_used_at.is_some_and(|used| used >= self.since);
        self.add(&grant.owner, 1, u64::from(used));
    }

    /// `tokens` of one owner at once, `used` of them lately.
    pub(super) fn add(&mut self, owner: &Owner, tokens: u64, used: u64) {
        if tokens == 0 {
            return;
        }
        self.impact.changed += tokens;
        self.impact.used_last_7_days += used;
        let share = self.owners.entry(owner.subject());
        share.or_insert_with(|| OwnerShare { owner: owner.clone(), tokens: 0 }).tokens += tokens;
    }

    pub(super) fn refuse(&mut self, id: GrantId, detail: Detail) {
        self.impact.refused.push(Refused { id, detail });
    }

    pub(super) fn not_found(&mut self, ids: Vec<GrantId>) {
        self.impact.not_found = ids;
    }

    pub(super) fn finish(self) -> Impact {
        let mut owners: Vec<OwnerShare> = self.owners.into_values().collect();
        owners.sort_by(|a, b| b.tokens.cmp(&a.tokens).then_with(|| a.owner.subject().cmp(&b.owner.subject())));
        let owner_count = owners.len() as u64;
        owners.truncate(NAMED_OWNERS);
        Impact { owners, owner_count, ..self.impact }
    }
}

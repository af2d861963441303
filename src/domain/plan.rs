//! Plans: named usage limits that grants are associated with.

use std::num::NonZeroU32;

use super::catalog_name::CatalogName;
use super::clock::Timestamp;
use super::ids::{PlanId, WorkspaceId};
use super::lifetime::Lifetime;

/// A usage limit of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub id: PlanId,
    pub workspace: WorkspaceId,
    pub name: CatalogName,
    pub quota: Quota,
    /// The APIs that it covers; none: all.
    pub apis: Vec<CatalogName>,
    pub created_at: Timestamp,
    pub version: i64,
}

impl Plan {
    /// Whether validations that name this API count against it.
    #[must_use]
    pub fn covers(&self, api: &str) -> bool {
        self.covers_all() || self.apis.iter().any(|own| own.as_str() == api)
    }

    #[must_use]
    pub fn covers_all(&self) -> bool {
        self.apis.is_empty()
    }
}

/// So many requests in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    pub requests: NonZeroU32,
    period_s: NonZeroU32,
}

impl Quota {
    /// More than one a nanosecond can't be told apart.
    pub const MAX_REQUESTS: u32 = 1_000_000_000;
    /// Longer periods outlive the processes that count.
    pub const MAX_PERIOD: Lifetime = Lifetime::from_secs(31 * 24 * 3600);

    /// `None` where a part is 0 or above its maximum.
    #[must_use]
    pub fn new(requests: u32, period: Lifetime) -> Option<Self> {
        let requests = NonZeroU32::new(requests).filter(|requests| requests.get() <= Self::MAX_REQUESTS)?;
        let period_s = NonZeroU32::new(period.as_secs()).filter(|_| period <= Self::MAX_PERIOD)?;
        Some(Self { requests, period_s })
    }

    #[must_use]
    pub const fn period(self) -> Lifetime {
        Lifetime::from_secs(self.period_s.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_has_bounds_on_both_sides() {
        let quota = |requests, period| Quota::new(requests, Lifetime::from_secs(period));
        assert!(quota(1, 1).is_some());
        assert!(quota(Quota::MAX_REQUESTS, Quota::MAX_PERIOD.as_secs()).is_some());
        assert_eq!(quota(0, 1), None);
        assert_eq!(quota(1, 0), None);
        assert_eq!(quota(Quota::MAX_REQUESTS + 1, 1), None);
        assert_eq!(quota(1, Quota::MAX_PERIOD.as_secs() + 1), None);
    }
}

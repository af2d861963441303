//! Counts validations against plans, in the memory of this process: one counter per grant and plan.
//!
//! A counter lets a plan's requests through at once and then one each time that a period divided by their number has
//! passed (GCRA). It is made with the first validation that it counts, and forgotten when others are used more: then
//! its grant starts afresh.

use std::fmt;
use std::ops::Add;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as Ticking, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota as Rate, RateLimiter};
use jeton_guard::{Limit, Limits, Refusal};
use quick_cache::sync::Cache;

use super::Service;
use super::validate::Validated;
use crate::domain::clock::{BootTime, Clock};
use crate::domain::ids::{GrantId, PlanId};
use crate::domain::plan::{Plan, Quota};

/// All counters of a process.
pub struct RateLimits {
    counters: Cache<Key, Arc<Counter>>,
    clock: Clock,
}

/// What is counted apart. A plan that is edited starts new counts.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    grant: GrantId,
    plan: PlanId,
    quota: Quota,
}

type Counter = RateLimiter<NotKeyed, InMemoryState, Ticks, StateInformationMiddleware>;

/// About 30 MB when all are there.
const MAX_COUNTERS: usize = 100_000;

/// Where a grant stands with one plan.
struct Counted {
    limit: Limit,
    /// Set where the plan refuses.
    retry_after_s: Option<u32>,
}

impl RateLimits {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { counters: Cache::new(MAX_COUNTERS), clock }
    }

    fn count(&self, grant: GrantId, plan: &Plan) -> Counted {
        let quota = plan.quota;
        let (requests, period) = (quota.requests, quota.period().as_duration());
        let interval = period / requests.get();
        let key = Key { grant, plan: plan.id, quota };
        let made: Result<_, std::convert::Infallible> = self.counters.get_or_insert_with(&key, || {
            let rate = Rate::with_period(interval).expect("a quota allows at most one request a nanosecond");
            let counter = RateLimiter::direct_with_clock(rate.allow_burst(requests), Ticks(self.clock.clone()));
            Ok(Arc::new(counter.with_middleware()))
        });
        let Ok(counter) = made;
        let (remaining, wait) = match counter.check() {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => (0, Some(until.wait_time_from(Ticks(self.clock.clone()).now()))),
        };
        let retry_after_s = wait.map(|wait| seconds_up(wait).max(1));
        let missing = requests.get().saturating_sub(remaining);
        // Not before the next request may come (section 4.1.2 of the draft).
        let reset_s = seconds_up(interval.saturating_mul(missing)).max(retry_after_s.unwrap_or(0));
        let limit = Limit {
            policy: plan.name.to_string(),
            quota: requests.get(),
            window_s: quota.period().as_secs(),
            remaining,
            reset_s,
        };
        Counted { limit, retry_after_s }
    }
}

fn seconds_up(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos().div_ceil(1_000_000_000)).unwrap_or(u32::MAX)
}

impl Service {
    /// Counts a validation that names these APIs against the plans of its token, and tells where it stands with them.
    /// A session that a key has opened is counted with its key.
    ///
    /// # Errors
    /// [`Refusal::LimitExceeded`] by the first plan that is used up; those before it have counted the validation.
    pub fn count_use(&self, validated: &Validated, named: &[String]) -> Result<Limits, Refusal> {
        let mut limits = Limits::none();
        let Some(catalog) = validated.catalog() else {
            return Ok(limits);
        };
        let grant = &validated.token().grant;
        let counted_as = grant.parent.as_ref().map_or(grant.id, |parent| parent.id);
        for plan in catalog.limits(grant, named) {
            let Counted { limit, retry_after_s } = self.rate_limits.count(counted_as, plan);
            limits.extend([limit]);
            if let Some(retry_after_s) = retry_after_s {
                return Err(Refusal::LimitExceeded { retry_after_s, limits });
            }
        }
        Ok(limits)
    }
}

/// The injected clock as the counters read it: one that nobody sets back.
struct Ticks(Clock);

impl Ticking for Ticks {
    type Instant = Tick;

    fn now(&self) -> Tick {
        Tick(self.0.boottime())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tick(BootTime);

impl Add<Nanos> for Tick {
    type Output = Self;

    fn add(self, nanos: Nanos) -> Self {
        Self(self.0.plus(Duration::from_nanos(nanos.as_u64())))
    }
}

impl Reference for Tick {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.since(earlier.0).into()
    }

    fn saturating_sub(&self, nanos: Nanos) -> Self {
        Self(BootTime::from_ns(self.0.ns().saturating_sub(nanos.as_u64())))
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits").field("counters", &self.counters.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::tests::plan;
    use crate::domain::clock::Timestamp;
    use crate::domain::lifetime::Lifetime;

    const GRANT: GrantId = GrantId::from_bytes([1; 16]);

    fn limits() -> (RateLimits, Clock) {
        let clock = Clock::manual(Timestamp::from_ms(0));
        (RateLimits::new(clock.clone()), clock)
    }

    fn of(requests: u32, seconds: u32) -> Plan {
        Plan { quota: Quota::new(requests, Lifetime::from_secs(seconds)).unwrap(), ..plan("gold", &[]) }
    }

    /// Remaining, reset, retry.
    fn stand(counted: &Counted) -> (u32, u32, Option<u32>) {
        (counted.limit.remaining, counted.limit.reset_s, counted.retry_after_s)
    }

    #[test]
    fn a_plan_lets_its_requests_through_and_then_one_per_interval() {
        let (limits, clock) = limits();
        let plan = of(3, 60);
        let count = || stand(&limits.count(GRANT, &plan));
        assert_eq!([count(), count(), count()], [(2, 20, None), (1, 40, None), (0, 60, None)]);
        assert_eq!(count(), (0, 60, Some(20)));
        clock.advance(Duration::from_secs(19));
        assert_eq!(count(), (0, 60, Some(1)), "what is refused is not counted");
        clock.advance(Duration::from_secs(1));
        assert_eq!(count(), (0, 60, None));
        clock.advance(Duration::from_secs(600));
        assert_eq!(count(), (2, 20, None), "no more than its requests are saved up");
    }

    #[test]
    fn grants_plans_and_edits_are_counted_apart() {
        let (limits, _) = limits();
        let (one, other) = (of(1, 60), Plan { id: PlanId::from_bytes([9; 16]), ..of(1, 60) });
        let refuses = |grant, plan: &Plan| limits.count(grant, plan).retry_after_s.is_some();
        assert!(!refuses(GRANT, &one) && refuses(GRANT, &one));
        assert!(!refuses(GrantId::from_bytes([2; 16]), &one));
        assert!(!refuses(GRANT, &other));
        assert!(!refuses(GRANT, &of(2, 60)), "the plan was edited");
    }

    #[test]
    fn the_extremes_of_a_quota_are_counted() {
        let (limits, clock) = limits();
        let (most, longest) = (of(Quota::MAX_REQUESTS, 1), of(1, Quota::MAX_PERIOD.as_secs()));
        assert_eq!(limits.count(GRANT, &most).limit.remaining, Quota::MAX_REQUESTS - 1);
        assert_eq!(limits.count(GRANT, &longest).limit.reset_s, Quota::MAX_PERIOD.as_secs());
        assert_eq!(limits.count(GRANT, &longest).retry_after_s, Some(Quota::MAX_PERIOD.as_secs()));
        clock.advance(Quota::MAX_PERIOD.as_duration());
        assert_eq!(limits.count(GRANT, &longest).retry_after_s, None);
    }

    #[test]
    fn a_wall_clock_that_is_set_back_locks_nobody_out() {
        let (limits, clock) = limits();
        let plan = of(1, 60);
        assert_eq!(limits.count(GRANT, &plan).retry_after_s, None);
        clock.set_wall(Timestamp::from_ms(-86_400_000));
        clock.advance(Duration::from_secs(60));
        assert_eq!(limits.count(GRANT, &plan).retry_after_s, None);
    }

    #[test]
    fn no_more_counters_are_kept_than_there_may_be() {
        let (limits, _) = limits();
        let plan = of(1, 60);
        for number in 0..u64::try_from(MAX_COUNTERS).unwrap() + 1000 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_be_bytes());
            limits.count(GrantId::from_bytes(id), &plan);
        }
        assert!(limits.counters.len() <= MAX_COUNTERS);
    }
}

//! How much goes on in a workspace: sums of the last days, and how many tokens live. Nothing here counts rows without a
//! bound while somebody waits.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Service;
use super::caller::Caller;
use super::error::ApiFailure;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{GrantId, WorkspaceId};
use crate::domain::refusal::Rule;
use crate::store::StoreError;
use crate::store::census::LiveShare;
use crate::store::figure::{DayFigure, NOBODY, What};
use crate::store::issue::Issue;
use crate::store::user::Role;

/// What the page of a workspace tells.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The last days, the oldest first.
    pub days: Vec<Day>,
    /// Why requests were refused in these days, the most frequent first.
    pub refused: Vec<(Rule, u64)>,
    /// `None` before the first count of a large store.
    pub live: Option<LiveCount>,
}

/// A day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub at: Timestamp,
    /// Access tokens, pairs and keys that were handed out, and refreshed pairs.
    pub issued: u64,
    /// Requests whose token was good, and questions about good ones.
    pub validated: u64,
}

/// How many tokens live.
#[derive(Clone, Debug)]
pub struct LiveCount {
    pub at: Timestamp,
    /// By policy, the largest first.
    pub policies: Vec<(String, u64)>,
    /// Those that end within a week.
    pub ending: u64,
}

/// The last count over all workspaces.
#[derive(Debug, Default)]
pub struct Census(Mutex<Option<Counted>>);

#[derive(Clone, Debug)]
struct Counted {
    at: Timestamp,
    /// So few that they can be counted while somebody waits.
    small: bool,
    shares: Vec<LiveShare>,
}

const DAYS: u32 = 14;
const DAY: Duration = Duration::from_secs(86_400);
/// How long sums are kept.
const KEPT: Duration = Duration::from_secs(31 * 86_400);
/// What ends within this time ends soon.
const SOON: Duration = Duration::from_secs(7 * 86_400);

impl Service {
    /// # Errors
    /// The store's.
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, ApiFailure> {
        // What this process still holds belongs to the answer.
        self.flush_refusals().await?;
        self.flush_figures().await?;
        let now = self.clock.now();
        let today = now.ms().div_euclid(86_400_000);
        let since = Timestamp::from_ms((today + 1 - i64::from(DAYS)) * 86_400_000);
        let workspace = caller.workspace.id;
        let mut figures = self.store.list_figures(workspace, since).await?;
        // Those who run the service see what nobody's requests were refused for.
        if caller.user.role == Role::Operator {
            figures.extend(self.store.list_figures(NOBODY, since).await?);
        }
        let days = (0..DAYS).map(|offset| Day::of(&figures, since.plus(DAY * offset))).collect();
        Ok(Overview { days, refused: refused(&figures), live: self.live(workspace).await? })
    }

    /// Writes what was counted since the last call.
    ///
    /// # Errors
    /// The store's; the counts are kept for the next call.
    pub async fn flush_figures(&self) -> Result<(), StoreError> {
        let figures = self.figures.take(self.clock.now());
        if figures.is_empty() {
            return Ok(());
        }
        let written = self.store.add_figures(figures.clone()).await;
        if written.is_err() {
            self.figures.give_back(&figures);
        }
        written
    }

    /// Forgets sums of long ago.
    pub(super) async fn forget_figures(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.forget_figures(now.minus(KEPT)).await
    }

    /// Issues, and counts it.
    pub(super) async fn issue(&self, issue: Issue) -> Result<(), StoreError> {
        let workspace = issue.grant.workspace;
        self.store.issue(issue).await?;
        self.note_issued(workspace);
        Ok(())
    }

    pub(super) fn note_issued(&self, workspace: WorkspaceId) {
        self.figures.note(workspace, self.clock.now(), What::Issued, 1);
    }

    /// Counts all live tokens, step by step.
    ///
    /// # Errors
    /// The store's; the count before stays.
    pub async fn take_census(&self) -> Result<(), StoreError> {
        self.count_live(u32::MAX).await.map(drop)
    }

    /// Counts in so many steps; false when they were not enough.
    async fn count_live(&self, steps: u32) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let (mut after, mut taken, mut all) = (Some(GrantId::floor(now)), 0, BTreeMap::new());
        while let Some(from) = after {
            if taken == steps {
                return Ok(false);
            }
            let step = self.store.count_live(from, now, now.plus(SOON)).await?;
            for share in step.shares {
                let sum: &mut (u64, u64) = all.entry((share.workspace, share.policy)).or_default();
                *sum = (sum.0 + share.live, sum.1 + share.ending);
            }
            (after, taken) = (step.next, taken + 1);
        }
        let share = |((workspace, policy), (live, ending))| LiveShare { workspace, policy, live, ending };
        let counted = Counted { at: now, small: taken == 1, shares: all.into_iter().map(share).collect() };
        *self.census.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
        Ok(true)
    }

    /// As of now in a small store, as of the last count in a large one.
    async fn live(&self, workspace: WorkspaceId) -> Result<Option<LiveCount>, StoreError> {
        let last = || self.census.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if last().is_none_or(|counted| counted.small) {
            self.count_live(1).await?;
        }
        Ok(last().map(|counted| counted.of(workspace)))
    }
}

impl Counted {
    fn of(&self, workspace: WorkspaceId) -> LiveCount {
        let own = || self.shares.iter().filter(|share| share.workspace == workspace && share.live > 0);
        let mut policies: Vec<_> = own().map(|share| (share.policy.clone(), share.live)).collect();
        policies.sort_by_key(|(_, live)| std::cmp::Reverse(*live));
        LiveCount { at: self.at, policies, ending: own().map(|share| share.ending).sum() }
    }
}

impl Day {
    fn of(figures: &[DayFigure], at: Timestamp) -> Self {
        let day = at.ms().div_euclid(86_400_000);
        let sum = |what| figures.iter().filter(|own| own.day == day && own.what == what).map(|own| own.count).sum();
        Self { at, issued: sum(What::Issued), validated: sum(What::Validated) }
    }
}

fn refused(figures: &[DayFigure]) -> Vec<(Rule, u64)> {
    let count = |rule| figures.iter().filter(|own| own.what == What::Refused(rule)).map(|own| own.count).sum();
    let mut all: Vec<(Rule, u64)> = Rule::ALL.iter().map(|rule| (*rule, count(*rule))).collect();
    all.retain(|(_, count)| *count > 0);
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all
}

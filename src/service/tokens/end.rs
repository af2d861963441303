//! Disabling, deleting and revoking: one token or many, for real or as a dry run. What each does to a token is a rule of
//! the token's policy.

use std::collections::HashMap;
use std::sync::Arc;

use super::impact::{Impact, LATELY, Tally};
use super::revoke_all::live_of;
use super::{Manager, Reach};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Status};
use crate::domain::ids::GrantId;
use crate::domain::policy::{Credential, OnDisable, Policy, PolicyVersion, RevokeReach};
use crate::service::detail::{Detail, Reason};
use crate::service::error::{ApiFailure, FieldError};
use crate::service::revoke::{self, Receipt};
use crate::service::{RequestContext, Service};
use crate::store::audit::AuditEvent;
use crate::store::grant_change::{Act, Author, Changes, GrantWrite, Held, Selection};
use crate::store::grant_query::{Extent, GrantFilter, GrantQuery};

/// How a token ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Final; the token stays in the list.
    Disable,
    /// As disabling, and gone from the list. Kept for the audit.
    Delete,
    /// The status becomes revoked.
    Revoke,
}

/// Which tokens.
#[derive(Clone, Debug)]
pub enum Selected {
    /// The one that the path names: what is wrong with it is an error of the call.
    One(GrantId),
    /// Those that the body names: what is wrong with one is told beside it.
    Ids(Vec<GrantId>),
    Matching(Box<GrantFilter>),
}

/// A call that ends tokens.
#[derive(Clone, Debug)]
pub struct EndTokens {
    pub ending: Ending,
    pub selected: Selected,
    pub reason: Option<String>,
    /// Refuse when another number of tokens would be changed.
    pub expect_count: Option<u64>,
    pub dry_run: bool,
}

/// What it did, or would do.
#[derive(Clone, Debug)]
pub struct Ended {
    pub impact: Impact,
    /// `None` for a dry run.
    pub receipt: Option<Receipt>,
}

/// One call changes no more tokens than this: they are changed in one transaction.
pub(super) const MAX_TOKENS: u32 = 10_000;
/// Different owners whose tokens go all at once because their policy says so.
const MAX_OWNERS: usize = 200;

impl Ending {
    const fn action(self) -> &'static str {
        match self {
            Self::Disable => "token.disable",
            Self::Delete => "token.delete",
            Self::Revoke => "token.revoke",
        }
    }
}

/// Why nothing was changed.
enum Stop {
    Failed(ApiFailure),
    /// A token with rules that were not at hand has come in between: look them up and try again.
    UnknownRules,
}

impl From<ApiFailure> for Stop {
    fn from(failure: ApiFailure) -> Self {
        Self::Failed(failure)
    }
}

type Rules = HashMap<(String, Option<PolicyVersion>), Option<Arc<Policy>>>;

/// Everything that the decision rests on, besides the tokens themselves.
#[derive(Clone)]
struct Judge {
    service: Service,
    context: RequestContext,
    actor: String,
    end: EndTokens,
    extent: Extent,
    rules: Arc<Rules>,
    /// Whether tokens that are revoked by HTTP only may be revoked here all the same.
    overrides: bool,
    now: Timestamp,
}

/// What is to be done with one token.
enum Verdict {
    Nothing,
    Refused(Detail),
    Write(Act),
    /// All tokens of its owner under its policy.
    WithAllOfOwner,
}

impl Service {
    /// Ends tokens as asked, or tells what that would change.
    ///
    /// # Errors
    /// [`ApiFailure`], the store's among them.
    pub async fn end_tokens(&self, manager: &Manager, mut end: EndTokens) -> Result<Ended, ApiFailure> {
        end.reason = revoke::read_reason(end.reason.take())?;
        let overrides =
            manager.reach == Reach::Workspace && self.store.admins_override(manager.caller.workspace.id).await?;
        let started = revoke::start();
        let mut rules = Arc::new(Rules::new());
        loop {
            let now = self.clock.now();
            let selection = selection(manager, &end.selected, now);
            let judge = Judge {
                service: self.clone(),
                context: manager.caller.context.clone(),
                actor: manager.caller.actor(),
                end: end.clone(),
                extent: manager.extent(),
                rules: Arc::clone(&rules),
                overrides,
                now,
            };
            let author = Author { at: now, by: manager.caller.actor(), reason: end.reason.clone() };
            let (questions, decide) = (judge.clone(), judge);
            let changed = self
                .store
                .change_grants(
                    selection.clone(),
                    Arc::new(move |grants| questions.questions(grants)),
                    author,
                    Arc::new(move |held: &Held<'_>| decide.decide(held)),
                )
                .await?;
            match changed {
                Ok((_, impact)) if end.dry_run => return Ok(Ended { impact, receipt: None }),
                Ok((committed, impact)) => {
                    let receipt = self.receipt_of(committed.revision, started).await?;
                    return Ok(Ended { impact, receipt: Some(receipt) });
                }
                Err(Stop::Failed(failure)) => return Err(failure),
                Err(Stop::UnknownRules) => rules = Arc::new(self.rules_of(&selection).await?),
            }
        }
    }

    /// The rules of all tokens that are selected now.
    async fn rules_of(&self, selection: &Selection) -> Result<Rules, ApiFailure> {
        let grants = match selection {
            Selection::Matching(query) => self.store.list_grants((**query).clone()).await?.grants,
            Selection::Ids(ids) => self.store.find_grants(ids.clone()).await?,
        };
        let mut rules = Rules::new();
        for grant in &grants {
            if let std::collections::hash_map::Entry::Vacant(entry) = rules.entry(rules_key(grant)) {
                entry.insert(self.policy_of(grant).await?);
            }
        }
        Ok(rules)
    }
}

fn selection(manager: &Manager, selected: &Selected, now: Timestamp) -> Selection {
    match selected {
        Selected::One(id) => Selection::Ids(vec![*id]),
        Selected::Ids(ids) => Selection::Ids(ids.clone()),
        Selected::Matching(filter) => {
            Selection::Matching(Box::new(manager.query((**filter).clone(), now, MAX_TOKENS + 1)))
        }
    }
}

fn rules_key(grant: &Grant) -> (String, Option<PolicyVersion>) {
    (grant.policy.clone(), grant.policy_version)
}

impl Judge {
    /// Where the count is what the call is about; else it ends where counting would take longer than the act.
    const fn counts_exactly(&self) -> bool {
        self.end.dry_run || self.end.expect_count.is_some()
    }

    fn policy(&self, grant: &Grant) -> Option<&Policy> {
        self.rules.get(&rules_key(grant))?.as_deref()
    }

    fn verdict(&self, grant: &Grant) -> Verdict {
        let (status, policy) = (grant.status(self.now), self.policy(grant));
        let live = matches!(status, Status::Active | Status::Disabled);
        let by_http_only = policy.is_some_and(|policy| !policy.rules.rest_revoke) && !self.overrides;
        let spare_access = policy.is_some_and(|policy| {
            policy.rules.on_disable == OnDisable::RefreshOnly && policy.rules.credential == Credential::Pair
        });
        match self.end.ending {
            Ending::Revoke if !live => Verdict::Nothing,
            Ending::Disable if status != Status::Active => Verdict::Nothing,
            _ if live && by_http_only => Verdict::Refused(self.how_to_revoke(grant)),
            Ending::Revoke => match policy.map(|policy| policy.rules.revoke) {
                Some(RevokeReach::Owner) => Verdict::WithAllOfOwner,
                Some(RevokeReach::Grant) | None => Verdict::Write(Act::Revoke),
            },
            Ending::Disable => Verdict::Write(Act::Disable { spare_access }),
            Ending::Delete => Verdict::Write(Act::Delete { spare_access }),
        }
    }

    fn how_to_revoke(&self, grant: &Grant) -> Detail {
        let issuer = &self.service.settings.issuer;
        let by_client = grant.client.as_ref().map(|client| {
            format!(", or POST {issuer}/oauth20/revoke with token=<the token> by client {}", client.client_id)
        });
        let text = format!(
            "tokens of policy {} are ended over HTTP: DELETE {issuer}/oauth20/access-token with Authorization: Bearer \
             <the token>{}",
            grant.policy,
            by_client.unwrap_or_default()
        );
        Detail::new(Reason::OverHttpOnly, text)
    }

    /// The owners whose tokens go together with a selected one.
    fn groups<'g>(&self, grants: &'g [Grant]) -> Vec<&'g Grant> {
        let mut groups: Vec<&Grant> = Vec::new();
        for grant in grants.iter().filter(|grant| self.extent.holds(grant)) {
            let known = groups.iter().any(|known| same_group(known, grant));
            if !known && matches!(self.verdict(grant), Verdict::WithAllOfOwner) {
                groups.push(grant);
            }
        }
        groups
    }

    fn questions(&self, grants: &[Grant]) -> Vec<(GrantQuery, Timestamp)> {
        let since = self.now.minus(LATELY);
        let limit = if self.counts_exactly() { u32::MAX } else { MAX_TOKENS };
        let groups = self.groups(grants).into_iter().take(MAX_OWNERS + 1);
        groups.map(|group| (all_of_owner(group, self.now, limit), since)).collect()
    }

    fn decide(&self, held: &Held<'_>) -> Result<(Changes, Impact), Stop> {
        let visible: Vec<&Grant> = held.grants.iter().filter(|grant| self.extent.holds(grant)).collect();
        if visible.iter().any(|grant| !self.rules.contains_key(&rules_key(grant))) {
            return Err(Stop::UnknownRules);
        }
        if visible.len() > MAX_TOKENS as usize {
            let detail = format!("matches more than {MAX_TOKENS} tokens; narrow it, or use revoke-all");
            return Err(ApiFailure::Invalid(vec![FieldError::new("/filter", detail)]).into());
        }
        let mut tally = Tally::new(self.now);
        tally.matched(visible.len());
        tally.not_found(self.missing(&visible));
        let mut changes = Changes::default();
        let groups = self.groups(held.grants);
        if groups.len() > MAX_OWNERS {
            let detail = format!("reaches all tokens of more than {MAX_OWNERS} owners; narrow it");
            return Err(ApiFailure::Invalid(vec![FieldError::new("/filter", detail)]).into());
        }
        for (group, summary) in groups.iter().zip(held.summaries) {
            tally.add(&group.owner, summary.matched.unsigned_abs(), summary.used.unsigned_abs());
            changes.cut_offs.push((revoke::owner_subject(&group.owner), group.policy.clone()));
        }
        for grant in visible {
            let act = match self.verdict(grant) {
                Verdict::Nothing => continue,
                Verdict::Refused(detail) => {
                    tally.refuse(grant.id, detail);
                    continue;
                }
                // Counted with its group.
                Verdict::WithAllOfOwner => Act::Revoke,
                Verdict::Write(act) => {
                    tally.change(grant);
                    act
                }
            };
            changes.writes.push(GrantWrite { grant: grant.id, act, audit: self.audit(grant) });
        }
        self.settle(tally.finish(), changes)
    }

    /// The last checks, once it is known what would be changed.
    fn settle(&self, impact: Impact, changes: Changes) -> Result<(Changes, Impact), Stop> {
        if let Selected::One(_) = self.end.selected {
            if !impact.not_found.is_empty() {
                return Err(ApiFailure::NotFound("token").into());
            }
            if let Some(refused) = impact.refused.first() {
                return Err(ApiFailure::Conflict(refused.detail.clone()).into());
            }
        }
        if let Some(expected) = self.end.expect_count.filter(|expected| *expected != impact.changed) {
            let detail = format!("{} tokens would be changed, not {expected}; look again", impact.changed);
            return Err(ApiFailure::Conflict(Detail::new(Reason::CountChanged, detail)).into());
        }
        if self.end.dry_run { Ok((Changes::default(), impact)) } else { Ok((changes, impact)) }
    }

    fn missing(&self, visible: &[&Grant]) -> Vec<GrantId> {
        let named: &[GrantId] = match &self.end.selected {
            Selected::One(id) => std::slice::from_ref(id),
            Selected::Ids(ids) => ids,
            Selected::Matching(_) => &[],
        };
        let found: std::collections::HashSet<GrantId> = visible.iter().map(|grant| grant.id).collect();
        named.iter().copied().filter(|id| !found.contains(id)).collect()
    }

    fn audit(&self, grant: &Grant) -> AuditEvent {
        let target = grant.id.to_string();
        let action = self.end.ending.action();
        let mut event = self.service.audit_event(&self.context, grant.workspace.id, self.actor.clone(), action, target);
        event.detail = self.end.reason.as_ref().map(|reason| serde_json::json!({ "reason": reason }).to_string());
        event
    }
}

fn same_group(a: &Grant, b: &Grant) -> bool {
    a.policy == b.policy && a.owner.subject() == b.owner.subject()
}

/// The live tokens of a token's owner under its policy.
fn all_of_owner(grant: &Grant, now: Timestamp, limit: u32) -> GrantQuery {
    live_of(grant.workspace.id, &grant.owner, std::slice::from_ref(&grant.policy), now, limit)
}

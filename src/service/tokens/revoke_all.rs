//! All tokens of an owner at once: one row per policy, whatever their number.

use std::sync::Arc;

use super::impact::{Impact, LATELY, Tally};
use super::list::WINDOW;
use super::{Manager, Reach};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Owner, Status};
use crate::domain::ids::{ClientId, UserId, WorkspaceId};
use crate::service::Service;
use crate::service::detail::{Detail, Reason};
use crate::service::error::ApiFailure;
use crate::service::revoke::{self, Receipt};
use crate::store::cutoff::Subject;
use crate::store::grant::GrantCursor;
use crate::store::grant_change::{Author, Changes, Held, Selection};
use crate::store::grant_query::{Extent, GrantFilter, GrantQuery};

/// What to revoke.
#[derive(Clone, Debug)]
pub struct RevokeAll {
    /// A user id or a client id; the caller where none is named.
    pub owner: Option<String>,
    /// `None`: every policy whose tokens may be revoked here.
    pub policy: Option<String>,
    pub reason: Option<String>,
    pub expect_count: Option<u64>,
    pub dry_run: bool,
}

/// What it did, or would do.
#[derive(Clone, Debug)]
pub struct AllRevoked {
    pub impact: Impact,
    /// Whether `impact` counts all of them; beyond a bound, counting would take longer than revoking.
    pub counted: bool,
    /// `None` for a dry run.
    pub receipt: Option<Receipt>,
}

/// A real call counts no further than this.
const MAX_COUNTED: u32 = 1_000;

impl Service {
    /// Revokes every live token of an owner, or tells how many that are.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] for an unknown owner or policy, [`ApiFailure::Conflict`] for a policy whose tokens are
    /// revoked by HTTP only and where the count is not the expected one, and the store's.
    pub async fn revoke_all_tokens(&self, manager: &Manager, request: RevokeAll) -> Result<AllRevoked, ApiFailure> {
        let caller = &manager.caller;
        let reason = revoke::read_reason(request.reason)?;
        let (owner, subject) = self.owner_to_revoke(manager, request.owner.as_deref()).await?;
        let policies = self.policies_to_revoke(manager, request.policy.as_deref()).await?;
        let exact = request.dry_run || request.expect_count.is_some();
        let (now, started) = (self.clock.now(), revoke::start());
        let query =
            live_of(caller.workspace.id, &owner, &policies, now, if exact { u32::MAX } else { MAX_COUNTED + 1 });
        let target = format!("{} policy:{}", owner.subject(), policies.join(","));
        let mut audit =
            self.audit_event(&caller.context, caller.workspace.id, caller.actor(), "token.revoke_all", target);
        audit.detail = reason.as_ref().map(|reason| serde_json::json!({ "reason": reason }).to_string());
        let (expect_count, dry_run) = (request.expect_count, request.dry_run);
        let decide = move |held: &Held<'_>| {
            let summary = held.summaries.first().copied().unwrap_or_default();
            let mut tally = Tally::new(now);
            tally.matched(usize::try_from(summary.matched).unwrap_or(usize::MAX));
            tally.add(&owner, summary.matched.unsigned_abs(), summary.used.unsigned_abs());
            let impact = tally.finish();
            if let Some(expected) = expect_count.filter(|expected| *expected != impact.changed) {
                let detail = format!("{} tokens would be changed, not {expected}; look again", impact.changed);
                return Err(ApiFailure::Conflict(Detail::new(Reason::CountChanged, detail)));
            }
            let cut_offs = policies.iter().map(|policy| (subject, policy.clone())).collect();
            let changes = Changes { cut_offs, audit: vec![audit.clone()], ..Changes::default() };
            Ok((if dry_run { Changes::default() } else { changes }, (impact, summary.whole)))
        };
        let author = Author { at: now, by: caller.actor(), reason };
        let questions = Arc::new(move |_: &[Grant]| vec![(query.clone(), now.minus(LATELY))]);
        let selection = Selection::Ids(Vec::new());
        let (committed, (impact, counted)) =
            self.store.change_grants(selection, questions, author, Arc::new(decide)).await??;
        let receipt = if request.dry_run { None } else { Some(self.receipt_of(committed.revision, started).await?) };
        Ok(AllRevoked { impact, counted, receipt })
    }

    async fn owner_to_revoke(&self, manager: &Manager, owner: Option<&str>) -> Result<(Owner, Subject), ApiFailure> {
        let caller = &manager.caller;
        let unknown = || ApiFailure::field("/owner", "is no user or client of this workspace");
        match owner {
            None => {
                let user = &caller.user;
                Ok((Owner::User { id: user.id, name: user.username.clone() }, user.id.into()))
            }
            Some(_) if manager.reach == Reach::Own => {
                Err(ApiFailure::field("/owner", "one's own tokens are revoked here; an administrator names an owner"))
            }
            Some(text) => {
                if let Ok(id) = text.parse::<UserId>() {
                    let user = self.store.find_user(id).await?;
                    let user = user.filter(|user| user.workspace == caller.workspace.id).ok_or_else(unknown)?;
                    return Ok((Owner::User { id, name: user.username }, id.into()));
                }
                let client_id: ClientId = text.parse().ok().ok_or_else(unknown)?;
                let client = self.store.find_client(&client_id).await?;
                let client = client.filter(|client| client.workspace.id == caller.workspace.id).ok_or_else(unknown)?;
                let key = client.key;
                Ok((Owner::Client(client.reference()), key.into()))
            }
        }
    }

    /// The policies that are meant, without those whose tokens are revoked by HTTP only.
    async fn policies_to_revoke(&self, manager: &Manager, policy: Option<&str>) -> Result<Vec<String>, ApiFailure> {
        let overrides =
            manager.reach == Reach::Workspace && self.store.admins_override(manager.caller.workspace.id).await?;
        let Some(name) = policy else {
            let all = self.policies.iter().filter(|policy| overrides || policy.rules.rest_revoke);
            return Ok(all.map(|policy| policy.name.to_string()).collect());
        };
        let Some(policy) = self.policies.find(name) else {
            return Err(ApiFailure::field("/policy", "there is no policy of this name"));
        };
        if policy.rules.rest_revoke || overrides {
            return Ok(vec![name.to_owned()]);
        }
        Err(ApiFailure::Conflict(format!(
            "tokens of policy {name} are ended over HTTP, each by its bearer (DELETE {0}/oauth20/access-token) or its client \
             (POST {0}/oauth20/revoke)",
            self.settings.issuer
        ).into()))
    }
}

/// The live tokens of an owner under some policies; all that there are for a `limit` that is none.
pub(super) fn live_of(
    workspace: WorkspaceId,
    owner: &Owner,
    policies: &[String],
    now: Timestamp,
    limit: u32,
) -> GrantQuery {
    let (owner_users, owner_clients) = match owner {
        Owner::User { id, .. } => (vec![*id], Vec::new()),
        Owner::Client(client) => (Vec::new(), vec![client.client_id.clone()]),
    };
    let filter = GrantFilter {
        statuses: vec![Status::Active],
        policies: policies.to_vec(),
        owner_users,
        owner_clients,
        ..GrantFilter::default()
    };
    let window = (limit != u32::MAX).then_some(WINDOW);
    GrantQuery { extent: Extent { workspace, user: None }, filter, now, after: GrantCursor::START, limit, window }
}

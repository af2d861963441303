//! `GET /admin/v1/explain`: why a request was refused, and what has happened to its token.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Service;
use super::caller::Caller;
use super::error::ApiFailure;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Owner, Status};
use crate::domain::ids::{ClientId, GrantId, TokenId};
use crate::domain::refusal::Rule;
use crate::store::StoreError;
use crate::store::explain::{Act, Cut, CutReach};
use crate::store::lookup::StoredToken;
use crate::store::refusal::Refusal;

/// What is asked about.
#[derive(Debug)]
pub enum Question {
    Request(String),
    /// The id of a token string (`jti`).
    Token(TokenId),
    /// The id that lists of tokens show.
    Grant(GrantId),
}

/// What is known of a request or token.
#[derive(Debug)]
pub struct Explanation {
    /// As the token or grant stands now; `None` where the request proved none.
    pub rule_now: Option<Rule>,
    pub token: Option<StoredToken>,
    pub grant: Option<Grant>,
    pub refusals: Vec<Refusal>,
    pub timeline: Vec<Moment>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainMoment)]
pub struct Moment {
    pub at: Timestamp,
    /// An action of the audit log, or `issued`, `used`, `expired`, `cut_off`, `refused`.
    pub event: String,
    pub by: Option<String>,
    pub request_id: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub detail: Option<Value>,
}

/// The answer on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationView<'a> {
    pub accepted_now: Option<bool>,
    pub rule_now: Option<Rule>,
    pub reason_now: Option<&'static str>,
    pub token: Option<TokenFacts>,
    pub grant: Option<GrantFacts<'a>>,
    pub refusals: Vec<RefusalView<'a>>,
    pub timeline: &'a [Moment],
}

/// A token string, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainToken)]
pub struct TokenFacts {
    pub id: TokenId,
    pub kind: String,
    pub generation: i64,
    pub issued_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// The grant behind it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainGrant)]
pub struct GrantFacts<'a> {
    pub id: GrantId,
    pub name: Option<&'a str>,
    pub policy: &'a str,
    pub status: Status,
    pub owner: &'a Owner,
    pub client_id: Option<&'a ClientId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// A refusal of a request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainRefusal)]
pub struct RefusalView<'a> {
    pub at: Timestamp,
    pub request_id: &'a str,
    pub endpoint: &'a str,
    pub rule: Rule,
    pub reason: &'static str,
    pub detail: Option<&'a str>,
    pub token_id: Option<TokenId>,
    pub occurrences: i64,
}

impl<'a> ExplanationView<'a> {
    #[must_use]
    pub fn of(explained: &'a Explanation, now: Timestamp) -> Self {
        Self {
            accepted_now: explained.grant.as_ref().map(|_| explained.rule_now.is_none()),
            rule_now: explained.rule_now,
            reason_now: explained.rule_now.map(Rule::sentence),
            token: explained.token.as_ref().map(|token| TokenFacts {
                id: token.id,
                kind: token.kind.to_string(),
                generation: token.generation,
                issued_at: token.issued_at,
                expires_at: token.id.expires_at(),
            }),
            grant: explained.grant.as_ref().map(|grant| GrantFacts {
                id: grant.id,
                name: grant.name.as_deref(),
                policy: &grant.policy,
                status: grant.status(now),
                owner: &grant.owner,
                client_id: grant.client.as_ref().map(|client| &client.client_id),
                created_at: grant.created_at,
                expires_at: grant.expires_at,
                last_used_at: grant.last_used_at,
            }),
            refusals: explained.refusals.iter().map(RefusalView::of).collect(),
            timeline: &explained.timeline,
        }
    }
}

impl<'a> RefusalView<'a> {
    fn of(refusal: &'a Refusal) -> Self {
        Self {
            at: refusal.at,
            request_id: &refusal.request_id,
            endpoint: &refusal.endpoint,
            rule: refusal.rule,
            reason: refusal.rule.sentence(),
            detail: refusal.detail.as_deref(),
            // Whose it is is not known where no grant was found: then nothing is said of it.
            token_id: refusal.token.filter(|_| refusal.grant.is_some()),
            occurrences: refusal.occurrences,
        }
    }
}

/// Acts and refusals that one answer shows, the newest ones.
const MAX_SHOWN: u32 = 100;

impl Service {
    /// # Errors
    /// [`ApiFailure::NotFound`] for what is not known or of another workspace, or the store's.
    pub async fn explain(&self, caller: &Caller, question: Question) -> Result<Explanation, ApiFailure> {
        // What this process still holds belongs to the answer.
        self.flush_refusals().await?;
        match question {
            Question::Request(id) => self.explain_request(caller, id).await,
            Question::Token(id) => {
                let own = self.own_token(caller, id).await?.ok_or(ApiFailure::NotFound("token"))?;
                let refusals = self.store.list_refusals_of_grant(own.grant.id, MAX_SHOWN).await?;
                let refusals = refusals.into_iter().filter(|refusal| refusal.token == Some(id)).collect();
                Ok(self.explain_token(own, refusals).await?)
            }
            Question::Grant(id) => {
                let grant = self.store.find_grant(id).await?;
                let own = grant.filter(|grant| grant.workspace.id == caller.workspace.id);
                let grant = own.ok_or(ApiFailure::NotFound("token"))?;
                let refusals = self.store.list_refusals_of_grant(id, MAX_SHOWN).await?;
                let rule_now = self.rule_of_grant(&grant, self.clock.now()).await?;
                let timeline = self.timeline(&grant, None, &refusals).await?;
                Ok(Explanation { rule_now, token: None, grant: Some(grant), refusals, timeline })
            }
        }
    }

    async fn explain_request(&self, caller: &Caller, id: String) -> Result<Explanation, ApiFailure> {
        let refusals = self.store.list_refusals_of_request(id, caller.workspace.id, MAX_SHOWN).await?;
        if refusals.is_empty() {
            return Err(ApiFailure::NotFound("refused request"));
        }
        let token = refusals.iter().find(|refusal| refusal.grant.is_some()).and_then(|refusal| refusal.token);
        match token {
            Some(token) => match self.own_token(caller, token).await? {
                Some(own) => Ok(self.explain_token(own, refusals).await?),
                None => Ok(Explanation::of_nobody(refusals)),
            },
            None => Ok(Explanation::of_nobody(refusals)),
        }
    }

    async fn own_token(&self, caller: &Caller, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        let found = self.store.find_token(id).await?;
        Ok(found.filter(|token| token.grant.workspace.id == caller.workspace.id))
    }

    async fn explain_token(&self, token: StoredToken, refusals: Vec<Refusal>) -> Result<Explanation, StoreError> {
        let rule_now = self.rule_of(&token, self.clock.now()).await?;
        let timeline = self.timeline(&token.grant, Some(&token), &refusals).await?;
        let grant = Some(token.grant.clone());
        Ok(Explanation { rule_now, token: Some(token), grant, refusals, timeline })
    }

    /// Everything that is known of the grant, in the order in which it happened.
    async fn timeline(
        &self,
        grant: &Grant,
        token: Option<&StoredToken>,
        refusals: &[Refusal],
    ) -> Result<Vec<Moment>, StoreError> {
        let issued = token.map(|token| token.issued_at).filter(|at| *at != grant.created_at);
        let moments = std::iter::once(grant.created_at).chain(issued).collect();
        let acts = self.store.list_acts(grant.workspace.id, grant.id.to_string(), moments, MAX_SHOWN).await?;
        let cuts = self.store.list_cuts(grant).await?;
        let now = self.clock.now();
        let mut timeline = vec![Moment::new(grant.created_at, "issued")];
        if let Some(at) = issued {
            timeline.push(Moment::new(at, "token_issued"));
        }
        timeline.extend(acts.into_iter().map(Moment::of_act));
        timeline.extend(cuts.into_iter().map(Moment::of_cut));
        timeline.extend(grant.last_used_at.map(|at| Moment::new(at, "used")));
        let ends = [token.and_then(|token| token.id.expires_at()), grant.expires_at];
        timeline
            .extend(ends.into_iter().flatten().min().filter(|end| *end <= now).map(|at| Moment::new(at, "expired")));
        timeline.extend(refusals.iter().map(Moment::of_refusal));
        timeline.sort_by_key(|moment| moment.at);
        Ok(timeline)
    }
}

impl Explanation {
    /// Of a request that proved no token: nothing but the rule is known.
    const fn of_nobody(refusals: Vec<Refusal>) -> Self {
        Self { rule_now: None, token: None, grant: None, refusals, timeline: Vec::new() }
    }
}

impl Moment {
    fn new(at: Timestamp, event: &str) -> Self {
        Self { at, event: event.to_owned(), by: None, request_id: None, detail: None }
    }

    fn of_act(act: Act) -> Self {
        Self {
            at: act.at(),
            event: act.action,
            by: Some(act.actor),
            request_id: act.request_id,
            detail: act.detail.and_then(|detail| serde_json::from_str(&detail).ok()),
        }
    }

    fn of_cut(cut: Cut) -> Self {
        let reach = match cut.reach {
            CutReach::Owner => "owner",
            CutReach::Client => "client",
            CutReach::Workspace => "workspace",
        };
        let policy = if cut.policy.is_empty() { Value::Null } else { json!(cut.policy) };
        let detail = Some(json!({ "all_of": reach, "policy": policy }));
        Self { by: cut.by, detail, ..Self::new(cut.at, "cut_off") }
    }

    fn of_refusal(refusal: &Refusal) -> Self {
        Self {
            request_id: Some(refusal.request_id.clone()),
            detail: Some(json!({ "rule": refusal.rule, "endpoint": refusal.endpoint })),
            ..Self::new(refusal.at, "refused")
        }
    }
}

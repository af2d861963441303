//! Remembers why requests were refused, for those who may ask.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join_all;
use jeton_guard::Inactive;

use super::Service;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, State, TokenOf};
use crate::domain::ids::{RefusalId, TokenId};
use crate::domain::refusal::Rule;
use crate::domain::token_string::TokenKind;
use crate::store::StoreError;
use crate::store::explain::CutReach;
use crate::store::figure::{NOBODY, What};
use crate::store::lookup::StoredToken;
use crate::store::refusal::Refusal;

/// A refusal as the edge sees it.
#[derive(Debug)]
pub struct Refused<'a> {
    pub request_id: &'a str,
    /// Method and route, never what stood in it.
    pub endpoint: String,
    /// What was presented.
    pub credential: Option<&'a str>,
    pub rule: Rule,
    pub detail: Option<String>,
}

/// What a validation has found, before it is looked at closely.
#[must_use]
pub const fn rule_of(inactive: Inactive) -> Rule {
    match inactive {
        Inactive::Unproven => Rule::Tag,
        Inactive::Expired => Rule::Expired,
        Inactive::Revoked => Rule::Revoked,
        Inactive::Disabled => Rule::Disabled,
        Inactive::OtherWorkspace => Rule::OtherWorkspace,
    }
}

impl Service {
    /// Whether this string proves that it was made here. Costs no I/O.
    #[must_use]
    pub fn has_made(&self, text: &str) -> bool {
        self.codec.parse(text).is_ok()
    }

    /// Notes a refusal. Costs no I/O and keeps nothing of the credential but its public id, if it was made here.
    pub fn note_refusal(&self, refused: Refused<'_>) {
        let presented = refused.credential.and_then(|text| self.codec.parse(text).ok());
        let rule = match (refused.rule, presented.map(|presented| presented.kind)) {
            (Rule::Tag, Some(TokenKind::Access | TokenKind::Key)) => Rule::Unknown,
            (Rule::Tag, Some(TokenKind::Refresh | TokenKind::ClientSecret)) => Rule::Kind,
            (rule, _) => rule,
        };
        let at = self.clock.now();
        self.refusals.note(Refusal {
            id: RefusalId::generate(at, &self.entropy),
            at,
            workspace: None,
            request_id: refused.request_id.to_owned(),
            token: presented.map(|presented| presented.id),
            grant: None,
            endpoint: refused.endpoint,
            rule,
            detail: refused.detail,
            occurrences: 1,
        });
    }

    /// Writes the refusals that were gathered since the last call, each with its grant and the exact rule. When it returns,
    /// all that were noted before it was called are written.
    ///
    /// # Errors
    /// The store's; the refusals are kept for the next call.
    pub async fn flush_refusals(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.refusals.writing.lock().await;
        let mut refusals = self.refusals.take();
        if refusals.is_empty() {
            return Ok(());
        }
        let written = async {
            let tokens = self.tokens_of(&refusals).await?;
            for refusal in &mut refusals {
                if let Some(token) = refusal.token.and_then(|id| tokens.get(&id)) {
                    refusal.workspace = Some(token.grant.workspace.id);
                    refusal.grant = Some(token.grant.id);
                    if refusal.rule == Rule::Revoked {
                        refusal.rule = self.rule_of_dead(token, refusal.at).await?;
                    }
                }
            }
            self.store.insert_refusals(refusals.clone().into()).await?;
            for refusal in &refusals {
                let (workspace, count) = (refusal.workspace.unwrap_or(NOBODY), refusal.occurrences.unsigned_abs());
                self.figures.note(workspace, refusal.at, What::Refused(refusal.rule), count);
            }
            Ok(())
        };
        let written = written.await;
        if written.is_err() {
            self.refusals.give_back(refusals);
        }
        written
    }

    async fn tokens_of(&self, refusals: &[Refusal]) -> Result<HashMap<TokenId, StoredToken>, StoreError> {
        let ids: HashSet<TokenId> = refusals.iter().filter_map(|refusal| refusal.token).collect();
        let found = try_join_all(ids.into_iter().map(|id| self.store.find_token(id))).await?;
        Ok(found.into_iter().flatten().map(|token| (token.id, token)).collect())
    }

    /// Why a token is revoked. A refresh token has come to an endpoint that takes it: what has ended is its grant or its turn.
    async fn rule_of_dead(&self, token: &StoredToken, now: Timestamp) -> Result<Rule, StoreError> {
        match token.kind {
            TokenKind::Refresh => Ok(self.rule_of_grant(&token.grant, now).await?.unwrap_or(Rule::Replaced)),
            _ => Ok(self.rule_of(token, now).await?.unwrap_or(Rule::Revoked)),
        }
    }

    /// The rule that refuses `token` at `now`, if one does.
    pub(super) async fn rule_of(&self, token: &StoredToken, now: Timestamp) -> Result<Option<Rule>, StoreError> {
        if token.kind == TokenKind::Refresh {
            return Ok(Some(Rule::Kind));
        }
        if let Some(rule) = self.rule_of_grant(&token.grant, now).await? {
            let of = TokenOf { kind: token.kind, generation: token.generation };
            let spared = rule == Rule::Disabled && token.grant.clone().live_for(of, now).is_ok();
            if !spared {
                return Ok(Some(rule));
            }
        }
        if token.grant.superseded(token.generation).is_some_and(|by| !by.accepted_at(now)) {
            return Ok(Some(Rule::Replaced));
        }
        let ended = token.id.expires_at().is_some_and(|end| end <= now);
        Ok(ended.then_some(Rule::Expired))
    }

    /// The rule that ends `grant`, if one does: in the order in which its state is told.
    pub(super) async fn rule_of_grant(&self, grant: &Grant, now: Timestamp) -> Result<Option<Rule>, StoreError> {
        if grant.state == State::Revoked {
            return Ok(Some(Rule::Revoked));
        }
        if grant.cut_off.revision.is_some_and(|cut| grant.revision < cut) {
            let first = self.store.list_cuts(grant).await?.into_iter().next();
            return Ok(Some(match first.map(|cut| cut.reach) {
                Some(CutReach::Owner) | None => Rule::CutOffOwner,
                Some(CutReach::Client) => Rule::CutOffClient,
                Some(CutReach::Workspace) => Rule::CutOffWorkspace,
            }));
        }
        if grant.cut_off.parent_dead {
            return Ok(Some(Rule::ParentDead));
        }
        if grant.state == State::Disabled {
            return Ok(Some(Rule::Disabled));
        }
        Ok(grant.expires_at.is_some_and(|end| end <= now).then_some(Rule::Expired))
    }
}

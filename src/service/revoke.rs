//! Revocation: what it reaches is decided by the grant's policy, never by who asks.

use std::time::Instant;

use serde::Serialize;

use super::client_auth::AuthenticatedClient;
use super::error::{ApiFailure, OAuthCode, OAuthFailure, refused};
use super::validate::Validated;
use super::{RequestContext, Service, audit};
use crate::cluster::waiting::{self, Awaited, Reached};
use crate::domain::grant::{Grant, Owner, Revision, Status};
use crate::domain::mutant::{self, Mutant};
use crate::domain::name::{MAX_REASON_CHARS, shown_text};
use crate::domain::policy::RevokeReach;
use crate::store::StoreError;
use crate::store::cutoff::Subject;
use crate::store::revoke::{Applied, Revoke, Target};

/// How a revocation was applied. In force on every node when the caller reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Revocation)]
pub struct Receipt {
    pub revision: Revision,
    /// Nodes that are known to have dropped what was revoked from memory.
    pub applied_by: u32,
    /// All nodes. Those that are missing in `applied_by` could not be asked: their leases are over.
    pub of: u32,
    pub took_ms: u64,
}

impl Service {
    /// RFC 7009: an unknown or dead token is no error; another client's token is.
    ///
    /// # Errors
    /// `invalid_grant` for another client's token, or the store's.
    pub async fn revoke_for_client(
        &self,
        client: &AuthenticatedClient,
        token: &str,
        context: &RequestContext,
    ) -> Result<Option<Receipt>, OAuthFailure> {
        let started = start();
        // From the store, not from memory: a token that has expired still names a session that may go on by refresh.
        let stored = match self.codec.parse(token) {
            Ok(presented) => {
                self.store.find_token(presented.id).await?.filter(|stored| stored.is_proven_by(&presented))
            }
            Err(_) => self.find_foreign(token).await?,
        };
        let Some(stored) = stored else {
            return Ok(None);
        };
        if stored.grant.client.as_ref().is_none_or(|own| own.key != client.key) {
            return refused(OAuthCode::InvalidGrant, "the token was issued to another client");
        }
        let by = format!("client:{}", client.client_id);
        let receipt = match stored.grant.status(self.clock.now()) {
            Status::Active => self.revoke_grant(&stored.grant, by, None, context).await?,
            // By this node's clock: that of another may be behind it.
            Status::Expired => self.write_for(&stored.grant, Target::Grant(stored.grant.id), by, None, context).await?,
            Status::Revoked if mutant::is(Mutant::FastPathOnRetry) => return Ok(None),
            // Somebody has revoked it, perhaps a moment ago: this answer too says that it is in force everywhere.
            Status::Revoked | Status::Disabled => self.reached_everywhere(stored.as_of, started).await,
        };
        Ok(Some(receipt))
    }

    /// Ends the session of the presented token itself.
    ///
    /// # Errors
    /// The store's.
    pub async fn revoke_presented(
        &self,
        validated: &Validated,
        context: &RequestContext,
    ) -> Result<Receipt, StoreError> {
        let grant = &validated.token().grant;
        self.revoke_grant(grant, audit::actor(&grant.owner), None, context).await
    }

    /// Revokes a grant as its policy says: itself, or all of its owner's under the policy.
    pub(super) async fn revoke_grant(
        &self,
        grant: &Grant,
        by: String,
        reason: Option<String>,
        context: &RequestContext,
    ) -> Result<Receipt, StoreError> {
        let target = self.revocation_target(grant).await?;
        self.write_for(grant, target, by, reason, context).await
    }

    /// What the revocation of a grant reaches, as its policy says.
    pub(super) async fn revocation_target(&self, grant: &Grant) -> Result<Target, StoreError> {
        let reach = self.policy_of(grant).await?.map_or(RevokeReach::Grant, |policy| policy.rules.revoke);
        Ok(match reach {
            RevokeReach::Grant => Target::Grant(grant.id),
            RevokeReach::Owner => Target::CutOff {
                subject: owner_subject(&grant.owner),
                policy: grant.policy.clone(),
                marked: Some(grant.id),
            },
        })
    }

    async fn write_for(
        &self,
        grant: &Grant,
        target: Target,
        by: String,
        reason: Option<String>,
        context: &RequestContext,
    ) -> Result<Receipt, StoreError> {
        let audit = self.audit_event(context, grant.workspace.id, by.clone(), "token.revoke", grant.id.to_string());
        self.write_revocation(Revoke { target, at: self.clock.now(), by, reason, audit }).await.map(|(_, r)| r)
    }

    pub(super) async fn write_revocation(&self, revoke: Revoke) -> Result<(Applied, Receipt), StoreError> {
        let written = async { self.store.revoke(revoke).await.map(|applied| (applied.clone(), Some(applied))) };
        let (applied, receipt) = self.in_force(written).await?;
        Ok((applied, receipt.ok_or(StoreError::Corrupt("revocation"))?))
    }

    /// Makes a write that revokes, waits until that is in force on every node, and tells how it was applied.
    pub(super) async fn in_force<T>(
        &self,
        write: impl Future<Output = Result<(T, Option<Applied>), StoreError>>,
    ) -> Result<(T, Option<Receipt>), StoreError> {
        #[cfg(jeton_mutants)]
        if mutant::is(Mutant::MembershipBeforeCommit) {
            let counted = self.store.list_nodes().await?;
            return waiting::COUNTED.scope(counted, self.written_and_in_force(write)).await;
        }
        self.written_and_in_force(write).await
    }

    async fn written_and_in_force<T>(
        &self,
        write: impl Future<Output = Result<(T, Option<Applied>), StoreError>>,
    ) -> Result<(T, Option<Receipt>), StoreError> {
        let started = start();
        let (value, applied) = write.await?;
        let receipt = match applied {
            Some(applied) => Some(self.receipt_of(Some(applied.revision), started).await?),
            None => None,
        };
        Ok((value, receipt))
    }

    /// Waits until the changes up to `revision` are in force on every node, and tells how they were applied; up to the
    /// newest, where nothing had to be changed because somebody had done so before.
    pub(super) async fn receipt_of(&self, revision: Option<Revision>, started: Instant) -> Result<Receipt, StoreError> {
        let revision = match revision {
            Some(revision) => revision,
            None => self.store.head().await?,
        };
        Ok(self.reached_everywhere(revision, started).await)
    }

    /// Returns once no node answers from what was revoked at `revision`, which is committed. A revocation that somebody
    /// else has made is waited for in the same way: this process may not have heard of it yet.
    pub(super) async fn reached_everywhere(&self, revision: Revision, started: Instant) -> Receipt {
        let committed = self.clock.boottime();
        let applied_here = || self.cache.applied() >= revision;
        let reached = match &self.member {
            None => Reached::SOLE,
            Some(member) => {
                let awaited = Awaited { revision, committed, applied_here: &applied_here };
                waiting::until_in_force(member, &self.store, &self.clock, &awaited).await
            }
        };
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Receipt { revision, applied_by: reached.applied_by, of: reached.of, took_ms }
    }
}

/// The beginning of a call whose duration its receipt tells.
#[expect(clippy::disallowed_methods, reason = "measures how long the call took, decides nothing")]
pub(super) fn start() -> Instant {
    Instant::now()
}

/// # Errors
/// [`ApiFailure::Invalid`] at `/reason`.
pub(super) fn read_reason(reason: Option<String>) -> Result<Option<String>, ApiFailure> {
    let reason = reason.map(|reason| shown_text(&reason, MAX_REASON_CHARS)).transpose();
    reason.map_err(|error| ApiFailure::field("/reason", error.to_string()))
}

pub(super) fn owner_subject(owner: &Owner) -> Subject {
    match owner {
        Owner::User { id, .. } => (*id).into(),
        Owner::Client(client) => client.key.into(),
    }
}

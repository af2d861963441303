//! A new secret for a token that stays what it is: same id, same end, same rights. The old secret may live on for a while,
//! so that those who use it can change over.

use std::sync::Arc;
use std::time::Duration;

use super::Manager;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Origin, Status};
use crate::domain::ids::GrantId;
use crate::domain::lifetime::Lifetime;
use crate::domain::policy::{Credential, Policy};
use crate::domain::token_string::{MintedToken, TokenKind};
use crate::service::Service;
use crate::service::error::ApiFailure;
use crate::service::issue::Issued;
use crate::service::revoke::{self, Receipt};
use crate::store::grant_change::{Act, Author, Changes, GrantWrite, Held, Replacement, Selection};
use crate::store::token::NewToken;

/// What the caller chooses.
#[derive(Clone, Copy, Debug)]
pub struct RotateToken {
    /// For how long the old secret is accepted beside the new one. A refresh token is replaced at once.
    pub overlap: Lifetime,
}

/// A token with its new secret, which is shown this once.
#[derive(Debug)]
pub struct RotatedToken {
    pub grant: Grant,
    pub issued: Issued,
    pub credential: Credential,
    pub receipt: Receipt,
}

/// Longer, and the old secret would be forgotten where it is.
pub const MAX_OVERLAP: Lifetime = Lifetime::from_secs(30 * 86_400);

impl Service {
    /// Gives a token a new secret.
    ///
    /// # Errors
    /// [`ApiFailure::Conflict`] for a token that is not active or that is refreshed in another way, and the store's.
    pub async fn rotate_token(
        &self,
        manager: &Manager,
        id: GrantId,
        request: RotateToken,
    ) -> Result<RotatedToken, ApiFailure> {
        if request.overlap > MAX_OVERLAP {
            return Err(ApiFailure::field("/overlap", format!("is at most {MAX_OVERLAP}")));
        }
        let (now, started) = (self.clock.now(), revoke::start());
        let grant = self.find_token(manager, id).await?;
        if manager.caller.outliving_error(grant.expires_at).is_some() {
            return Err(ApiFailure::Forbidden(
                "the token outlives the one that asks for its new secret; ask with a key, or signed in",
            ));
        }
        let policy = self.policy_of(&grant).await?;
        let policy =
            policy.ok_or_else(|| ApiFailure::Conflict("the token's policy is not in force any more".into()))?;
        let (bearer, refresh) = self.mint_for(&policy, &grant, now);
        let tokens: Vec<NewToken> =
            std::iter::once(&bearer).chain(&refresh).map(|token| NewToken::of(token, id, now)).collect();
        let overlap = request.overlap.as_duration();
        let overlap_until = (overlap > Duration::ZERO).then(|| now.plus(overlap));
        let caller = &manager.caller;
        let (service, context, actor, extent) =
            (self.clone(), caller.context.clone(), caller.actor(), manager.extent());
        let decide = move |held: &Held<'_>| -> Result<_, ApiFailure> {
            let grant = held.grants.iter().find(|grant| extent.holds(grant)).ok_or(ApiFailure::NotFound("token"))?;
            may_rotate(grant, now)?;
            let target = grant.id.to_string();
            let mut audit = service.audit_event(&context, grant.workspace.id, actor.clone(), "token.rotate", target);
            audit.detail = Some(serde_json::json!({ "overlap_seconds": overlap.as_secs() }).to_string());
            let replacement = Replacement { after: grant.current_from, overlap_until, tokens: tokens.clone() };
            let write = GrantWrite { grant: grant.id, act: Act::Replace(replacement), audit };
            Ok((Changes { writes: vec![write], ..Changes::default() }, ()))
        };
        let author = Author { at: now, by: caller.actor(), reason: None };
        let questions = Arc::new(|_: &[Grant]| Vec::new());
        let selection = Selection::Ids(vec![id]);
        let (committed, ()) = self.store.change_grants(selection, questions, author, Arc::new(decide)).await??;
        let receipt = self.receipt_of(committed.revision, started).await?;
        let issued = Issued { grant: id, bearer, refresh, issued_at: now };
        let grant = self.find_token(manager, id).await?;
        Ok(RotatedToken { grant, issued, credential: policy.rules.credential, receipt })
    }

    fn mint_for(&self, policy: &Policy, grant: &Grant, now: Timestamp) -> (MintedToken, Option<MintedToken>) {
        let mint = |kind, end| self.codec.mint(kind, end, &self.entropy);
        let access_end = policy.access_end(grant.expires_at, now);
        match policy.rules.credential {
            Credential::Access => (mint(TokenKind::Access, access_end), None),
            Credential::Pair => (mint(TokenKind::Access, access_end), Some(mint(TokenKind::Refresh, grant.expires_at))),
            Credential::Key => (mint(TokenKind::Key, grant.expires_at), None),
        }
    }
}

fn may_rotate(grant: &Grant, now: Timestamp) -> Result<(), ApiFailure> {
    let status = grant.status(now);
    if status != Status::Active {
        return Err(ApiFailure::Conflict(
            format!("the token is {status}; only an active one gets a new secret").into(),
        ));
    }
    match grant.origin {
        Origin::Oauth => Err(ApiFailure::Conflict(
            "a session has no secret of its own to rotate; its client gets tokens at the token endpoint".into(),
        )),
        Origin::Import => Err(ApiFailure::Conflict(
            "a legacy token keeps the secret of its old system; make a new token instead".into(),
        )),
        Origin::Api | Origin::Admin | Origin::Console => Ok(()),
    }
}

//! Makes grants and the tokens that are handed out with them.

use super::Service;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Origin, Revision, SessionDetails, WorkspaceRef};
use crate::domain::ids::{ClientKey, GrantId, UserId};
use crate::domain::policy::{Credential, Policy};
use crate::domain::scope::Scopes;
use crate::domain::token_string::{MintedToken, TokenKind};
use crate::store::StoreError;
use crate::store::audit::AuditEvent;
use crate::store::grant::NewGrant;
use crate::store::issue::Issue;
use crate::store::token::NewToken;

/// For whom and what a grant is opened.
#[derive(Debug)]
pub(super) struct Opening<'a> {
    pub policy: &'a Policy,
    pub workspace: &'a WorkspaceRef,
    pub origin: Origin,
    pub name: Option<String>,
    pub user: Option<UserId>,
    pub client: Option<ClientKey>,
    pub scopes: Scopes,
    pub apis: Vec<String>,
    pub plans: Vec<String>,
    pub extra_fields: serde_json::Map<String, serde_json::Value>,
    pub session: SessionDetails,
    pub as_of: Revision,
}

/// A grant that was opened, with the secrets to show once.
#[derive(Debug)]
pub struct Issued {
    pub grant: GrantId,
    /// Access token or key.
    pub bearer: MintedToken,
    pub refresh: Option<MintedToken>,
    pub issued_at: Timestamp,
}

impl Issued {
    /// Seconds from issuing to the end of `token`; `None` without an end.
    #[must_use]
    pub fn lifetime(&self, token: &MintedToken) -> Option<i64> {
        token.id.expires_at().map(|end| end.seconds_left(self.issued_at))
    }
}

impl Service {
    /// Opens a grant that ends at `end`, and returns once it is durable.
    pub(super) async fn open_grant(
        &self,
        opening: Opening<'_>,
        end: Option<Timestamp>,
        now: Timestamp,
        audit: impl FnOnce(GrantId) -> AuditEvent,
    ) -> Result<Issued, StoreError> {
        let grant = GrantId::generate(end, &self.entropy);
        let mint = |kind, end| self.codec.mint(kind, end, &self.entropy);
        let (issue, issued) = opening.issue(grant, end, now, mint, audit(grant));
        self.issue(issue).await?;
        Ok(issued)
    }
}

impl Opening<'_> {
    /// The rows of a grant that ends at `end` and of the tokens that are handed out with it.
    pub(super) fn issue(
        self,
        grant: GrantId,
        end: Option<Timestamp>,
        now: Timestamp,
        mint: impl Fn(TokenKind, Option<Timestamp>) -> MintedToken,
        audit: AuditEvent,
    ) -> (Issue, Issued) {
        let access_end = self.policy.access_end(end, now);
        let (bearer, refresh) = match self.policy.rules.credential {
            Credential::Access => (mint(TokenKind::Access, access_end), None),
            Credential::Pair => (mint(TokenKind::Access, access_end), Some(mint(TokenKind::Refresh, end))),
            Credential::Key => (mint(TokenKind::Key, end), None),
        };
        let tokens = std::iter::once(&bearer).chain(&refresh);
        let tokens = tokens.map(|token| NewToken::of(token, grant, now)).collect();
        let issue = Issue { tokens, audit, grant: self.into_row(grant, end, now) };
        (issue, Issued { grant, bearer, refresh, issued_at: now })
    }

    pub(super) fn into_row(self, id: GrantId, end: Option<Timestamp>, now: Timestamp) -> NewGrant {
        NewGrant {
            id,
            workspace: self.workspace.id,
            policy: self.policy.name.to_string(),
            policy_version: self.policy.version,
            origin: self.origin,
            name: self.name,
            user: self.user,
            client: self.client,
            parent: None,
            scopes: self.scopes,
            apis: self.apis,
            plans: self.plans,
            extra_fields: self.extra_fields,
            session: self.session,
            created_at: now,
            expires_at: end,
            revision: self.as_of,
        }
    }
}

//! The write that issues: grant, tokens, refresh family and audit row, in one group commit.

use super::audit::AuditEvent;
use super::database::Db;
use super::grant::NewGrant;
use super::group_commit::Batch;
use super::token::NewToken;
use super::{Store, StoreError, audit, family, grant, token};
use crate::domain::token_string::TokenKind;

/// A grant and the tokens that are handed out with it.
#[derive(Clone, Debug)]
pub struct Issue {
    pub grant: NewGrant,
    /// A refresh token among them starts a family.
    pub tokens: Vec<NewToken>,
    pub audit: AuditEvent,
}

impl Batch for Issue {
    type Output = ();

    const NAME: &'static str = "issue";
    const WRITERS: usize = 2;

    async fn write(db: &mut Db<'_>, members: &[&Self]) -> Result<Vec<()>, StoreError> {
        grant::insert(db, &members.iter().map(|issue| &issue.grant).collect::<Vec<_>>()).await?;
        token::insert(db, &members.iter().flat_map(|issue| &issue.tokens).collect::<Vec<_>>()).await?;
        for first in members.iter().flat_map(|issue| &issue.tokens).filter(|token| token.kind == TokenKind::Refresh) {
            family::insert(db, first.grant, first.id).await?;
        }
        audit::insert(db, &members.iter().map(|issue| &issue.audit).collect::<Vec<_>>()).await?;
        Ok(vec![(); members.len()])
    }
}

impl Store {
    /// Returns once the grant and its tokens are durable.
    pub(crate) async fn issue(&self, issue: Issue) -> Result<(), StoreError> {
        self.issue.submit(issue).await
    }
}

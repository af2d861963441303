//! The write that issues: grant, tokens, refresh family and audit row, in one group commit.

use super::audit::{AuditEvent, audit_insert};
use super::database::{Database, Db, DbConn};
use super::event::{self, event_insert};
use super::grant::{NewGrant, grant_insert};
use super::group_commit::Batch;
use super::statement::Statement;
use super::token::{NewToken, token_insert};
use super::{Store, StoreError, audit, family, grant, token};
use crate::domain::token_string::TokenKind;

/// PostgreSQL: everything, after what has to be written before.
macro_rules! issue_write {
    ($($before:expr),*) => {
        concat!(
            "WITH audited AS (",
            audit_insert!(),
            "), ",
            $($before,)*
            "issued AS (",
            token_insert!(9 10 11 12 13 14 15 16),
            " RETURNING id, kind, grant_id), begun AS (INSERT INTO refresh_family (grant_id, generation, current_token, \
             successor_used) SELECT grant_id, 0, id, FALSE FROM issued WHERE kind = 'r') ",
            grant_insert!(17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33)
        )
    };
}

static WRITE: Statement = Statement::each("issue.write", "", issue_write!());
/// For a batch with something in it that others are told of: what the OAuth endpoints issue is not.
static WRITE_EVENTS: Statement =
    Statement::each("issue.write_events", "", issue_write!("recorded AS (", event_insert!("34"), "), "));

pub(super) const STATEMENTS: &[&Statement] = &[&WRITE, &WRITE_EVENTS];

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

    fn one_statement(_: &Database, _: &[&Self]) -> bool {
        true
    }

    async fn write(db: &mut Db<'_>, members: &[&Self]) -> Result<Vec<()>, StoreError> {
        let grants: Vec<_> = members.iter().map(|issue| &issue.grant).collect();
        let tokens: Vec<_> = members.iter().flat_map(|issue| &issue.tokens).collect();
        let audits: Vec<_> = members.iter().map(|issue| &issue.audit).collect();
        match &mut db.conn {
            DbConn::Postgres(conn) => {
                let recorded = audits.iter().any(|act| event::is_event(act));
                let statement = if recorded { &WRITE_EVENTS } else { &WRITE };
                db.counters.count(statement);
                let query = token::bind_all(audit::bind_all(sqlx::query(statement.postgres), &audits), &tokens);
                let query = grant::bind_all(query, &grants);
                let query = if recorded { query.bind(event::ACTIONS.as_slice()) } else { query };
                query.execute(&mut **conn).await?;
            }
            DbConn::Sqlite(_) => {
                grant::insert(db, &grants).await?;
                token::insert(db, &tokens).await?;
                for first in tokens.iter().filter(|token| token.kind == TokenKind::Refresh) {
                    family::insert(db, first.grant, first.id).await?;
                }
                audit::insert(db, &audits).await?;
            }
        }
        Ok(vec![(); members.len()])
    }
}

impl Store {
    /// Returns once the grant and its tokens are durable.
    pub(crate) async fn issue(&self, issue: Issue) -> Result<(), StoreError> {
        self.issue.submit(issue).await
    }
}

//! Table `audit_event`: who did what to what, written in the transaction of the act itself.

use std::sync::Arc;

use super::database::{Db, DbConn, PgQuery};
use super::event::{self, event_insert};
use super::statement::Statement;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{AuditId, WorkspaceId};

/// PostgreSQL: inserts the events whose columns [`bind_all`] gives as the first eight parameters.
macro_rules! audit_insert {
    () => {
        "INSERT INTO audit_event (id, at, workspace_id, action, actor, target, request_id, detail) SELECT * FROM UNNEST(\
         $1::bytea[], $2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])"
    };
}
pub(super) use audit_insert;

static INSERT: Statement = Statement::each(
    "audit.insert",
    "INSERT INTO audit_event (id, at, workspace_id, action, actor, target, request_id, detail) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    concat!("WITH audited AS (", audit_insert!(), ") ", event_insert!("9")),
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT];

/// One act.
#[derive(Clone, Debug)]
pub struct AuditEvent {
    pub id: AuditId,
    pub at: Timestamp,
    pub workspace: WorkspaceId,
    /// `resource.verb`, for instance `token.issue`.
    pub action: &'static str,
    /// `user:…`, `client:…` or `system`.
    pub actor: String,
    /// The id of what was acted on.
    pub target: String,
    pub request_id: Option<String>,
    /// JSON.
    pub detail: Option<String>,
}

impl AuditEvent {
    /// What was changed, or what the act was about; never a secret.
    #[must_use]
    pub fn with_detail(self, detail: &serde_json::Value) -> Self {
        Self { detail: Some(detail.to_string()), ..self }
    }
}

/// Writes all `events`, for those who follow them too; one statement on PostgreSQL.
pub(super) async fn insert(db: &mut Db<'_>, events: &[&AuditEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let sql = db.sql(&INSERT);
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for event in events {
                let (id, workspace): (&[u8], &[u8]) = (event.id.as_bytes(), event.workspace.as_bytes());
                sqlx::query(sql)
                    .bind(id)
                    .bind(event.at.ms())
                    .bind(workspace)
                    .bind(event.action)
                    .bind(&event.actor)
                    .bind(&event.target)
                    .bind(&event.request_id)
                    .bind(&event.detail)
                    .execute(&mut **conn)
                    .await?;
            }
            event::insert(db, events).await?;
        }
        DbConn::Postgres(conn) => {
            let query = bind_all(sqlx::query(sql), events);
            query.bind(event::ACTIONS.as_slice()).execute(&mut **conn).await?;
        }
    }
    Ok(())
}

/// The columns of `events`, an array each.
pub(super) fn bind_all<'q>(query: PgQuery<'q>, events: &[&AuditEvent]) -> PgQuery<'q> {
    let column = |get: fn(&AuditEvent) -> &str| events.iter().map(|event| get(event)).collect::<Vec<_>>();
    query
        .bind(events.iter().map(|event| &event.id.as_bytes()[..]).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.at.ms()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| &event.workspace.as_bytes()[..]).collect::<Vec<_>>())
        .bind(column(|event| event.action))
        .bind(column(|event| &event.actor))
        .bind(column(|event| &event.target))
        .bind(events.iter().map(|event| event.request_id.as_deref()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.detail.as_deref()).collect::<Vec<_>>())
}

impl Store {
    /// Writes the row of an act that changes nothing else.
    pub(crate) async fn insert_audit(&self, audit: AuditEvent) -> Result<(), StoreError> {
        let audit = Arc::new(audit);
        self.database
            .transact("audit.insert", move |mut db| {
                let audit = Arc::clone(&audit);
                Box::pin(async move { insert(&mut db, &[&*audit]).await })
            })
            .await
    }
}

//! `/admin/v1/audit`: who did what in the workspace.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Service;
use super::caller::Caller;
use crate::domain::clock::Timestamp;
use crate::domain::ids::AuditId;
use crate::store::StoreError;
use crate::store::audit_query::{AuditCursor, AuditFilter, AuditRow};

/// One act as REST shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    pub id: AuditId,
    pub created_at: Timestamp,
    /// `resource.verb`
    pub action: String,
    /// `user:<id>`, `client:<client id>`, `operator` or `system`.
    pub actor: String,
    /// The id of what was acted on.
    pub target: String,
    pub request_id: Option<String>,
    /// What was changed, old and new; never a secret.
    pub detail: Option<Value>,
}

impl From<AuditRow> for AuditView {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            created_at: row.at,
            action: row.action,
            actor: row.actor,
            target: row.target,
            request_id: row.request_id,
            detail: row.detail,
        }
    }
}

impl Service {
    /// A page of what was done in the caller's workspace, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_audit(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        after: AuditCursor,
        limit: u32,
    ) -> Result<(Vec<AuditView>, Option<AuditCursor>), StoreError> {
        let mut rows = self.store.list_audit(caller.workspace.id, filter, after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|last| AuditCursor { at: last.at, id: last.id });
        Ok((rows.into_iter().map(Into::into).collect(), next))
    }
}

//! Makes audit events: who, what, on what.

use super::caller::Caller;
use super::{RequestContext, Service};
use crate::domain::grant::Owner;
use crate::domain::ids::{AuditId, WorkspaceId};
use crate::store::audit::AuditEvent;

impl Service {
    /// An event that happens now; the store writes it in the transaction of the act.
    pub(super) fn audit_event(
        &self,
        context: &RequestContext,
        workspace: WorkspaceId,
        actor: String,
        action: &'static str,
        target: String,
    ) -> AuditEvent {
        let at = self.clock.now();
        AuditEvent {
            id: AuditId::generate(at, &self.entropy),
            at,
            workspace,
            action,
            actor,
            target,
            request_id: (!context.request_id.is_empty()).then(|| context.request_id.clone()),
            detail: None,
        }
    }

    /// An act of an administrator in their own workspace.
    pub(super) fn admin_event(&self, caller: &Caller, action: &'static str, target: String) -> AuditEvent {
        self.audit_event(&caller.context, caller.workspace.id, caller.actor(), action, target)
    }
}

/// `user:<id>` or `client:<client id>`.
pub(super) fn actor(owner: &Owner) -> String {
    match owner {
        Owner::User { id, .. } => format!("user:{id}"),
        Owner::Client(client) => format!("client:{}", client.client_id),
    }
}

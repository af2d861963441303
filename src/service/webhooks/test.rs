//! A message to a webhook that says nothing, to see whether it arrives.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::sender::{Message, SendFailure};
use crate::domain::ids::{AuditId, WebhookId};
use crate::service::Service;
use crate::service::caller::Caller;
use crate::service::error::ApiFailure;

/// What came of a test.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookTest)]
pub struct TestResult {
    /// The id of the message; its type is `webhook.test`
    pub id: AuditId,
    pub delivered: bool,
    /// What the receiver has answered with
    #[schema(required)]
    pub status: Option<u16>,
    #[schema(required)]
    pub error: Option<String>,
    pub took_ms: u64,
}

impl Service {
    /// Sends a message of type `webhook.test`, also to a webhook that is switched off; what was to be delivered stays so.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's. That the message was not taken is no error.
    pub async fn test_webhook(&self, caller: &Caller, id: WebhookId) -> Result<TestResult, ApiFailure> {
        let hook = self.own_webhook(caller, id).await?;
        let audit = self.admin_event(caller, "webhook.test", id.to_string());
        let (message_id, at) = (audit.id, audit.at);
        self.store.insert_audit(audit).await?;
        let body = json!({
            "id": message_id, "type": "webhook.test", "time": at, "workspace": &*caller.workspace.name, "actor": caller.actor(),
            "subject": id, "request_id": caller.context.request_id, "data": {},
        });
        let started = self.clock.boottime();
        let sent = match self.secrets_of(&hook, at) {
            Some(secrets) => {
                let message = Message {
                    url: &hook.url,
                    secrets: &secrets,
                    id: message_id.to_string(),
                    sent_at: at,
                    body: body.to_string().into_bytes(),
                };
                self.webhooks.send(message).await
            }
            None => Err(SendFailure::NoSecret),
        };
        let took = self.clock.boottime().since(started);
        let status = match &sent {
            Ok(status) | Err(SendFailure::Status(status)) => Some(*status),
            Err(_) => None,
        };
        Ok(TestResult {
            id: message_id,
            delivered: sent.is_ok(),
            status,
            error: sent.err().map(|failure| failure.to_string()),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

//! Webhooks as REST shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Timestamp;
use crate::domain::event::EventKind;
use crate::domain::ids::WebhookId;
use crate::domain::webhook::{Condition, WebhookUrl};
use crate::store::webhook::Webhook;

/// A receiver of events.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    pub id: WebhookId,
    /// The name of the workspace
    pub workspace: String,
    pub url: WebhookUrl,
    pub description: String,
    /// The types of events that it is sent; none named: all
    pub types: Vec<EventKind>,
    pub enabled: bool,
    /// Until when deliveries are signed with the secret before this one, too
    #[schema(required)]
    pub previous_secret_expires_at: Option<Timestamp>,
    pub delivery: DeliveryView,
    pub created_at: Timestamp,
    pub version: i64,
}

/// How deliveries are doing.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryView {
    pub condition: Condition,
    #[schema(required)]
    pub last_success_at: Option<Timestamp>,
    #[schema(required)]
    pub last_error_at: Option<Timestamp>,
    #[schema(required)]
    pub last_error: Option<String>,
    /// Failures in a row
    pub failures: u32,
    #[schema(required)]
    pub failing_since: Option<Timestamp>,
    /// When a failed delivery is tried again
    #[schema(required)]
    pub next_attempt_at: Option<Timestamp>,
    /// Events that wait; 10000 stands for more
    pub behind: u64,
}

/// A webhook that is gone, or would be.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookDeletion)]
pub struct DeletedWebhook {
    pub id: WebhookId,
    pub dry_run: bool,
    /// Events that it is never told of; 10000 stands for more
    pub behind: u64,
}

impl WebhookView {
    pub(super) fn new(hook: Webhook, workspace: &str, behind: u64, now: Timestamp) -> Self {
        let (condition, progress) = (hook.condition(), hook.progress);
        let previous = hook.previous_secret.map(|previous| previous.until).filter(|until| *until > now);
        Self {
            id: hook.id,
            workspace: workspace.to_owned(),
            url: hook.url,
            description: hook.description,
            types: hook.types,
            enabled: hook.enabled,
            previous_secret_expires_at: previous,
            delivery: DeliveryView {
                condition,
                last_success_at: progress.last_success_at,
                last_error_at: progress.last_error_at,
                last_error: progress.last_error,
                failures: progress.failures,
                failing_since: progress.failing_since,
                next_attempt_at: (condition == Condition::Failing).then_some(progress.due_at),
                behind,
            },
            created_at: hook.created_at,
            version: hook.version,
        }
    }
}

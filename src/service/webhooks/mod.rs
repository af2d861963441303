//! `/admin/v1/webhooks`: receivers that events are sent to, as administrators manage them.

mod deliver;
mod fields;
pub mod sender;
mod test;
mod view;

pub use deliver::Courier;
pub use fields::{CreateWebhook, EditWebhook};
pub use test::TestResult;
pub use view::{DeletedWebhook, DeliveryView, WebhookView};

use serde_json::json;

use super::Service;
use super::caller::Caller;
use super::changes::Changes;
use super::edit::IfMatch;
use super::error::ApiFailure;
use crate::domain::clock::Timestamp;
use crate::domain::ids::WebhookId;
use crate::domain::lifetime::Lifetime;
use crate::domain::secret::Secret;
use crate::domain::webhook::WebhookSecret;
use crate::store::StoreError;
use crate::store::event::EventSeq;
use crate::store::webhook::{PreviousSecret, Progress, SealedSecret, Webhook};

/// What the secrets are sealed for.
const PURPOSE: &str = "webhook-secret";

/// More receivers of one workspace would be a queue of its own.
const MAX_WEBHOOKS: u32 = 100;
/// For how long deliveries are signed with the secret before, too, where the caller does not say.
const DEFAULT_OVERLAP: Lifetime = Lifetime::from_secs(24 * 3600);
/// A secret that shall go and lives on for longer would be forgotten.
const MAX_OVERLAP: Lifetime = Lifetime::from_secs(30 * 24 * 3600);
/// Counting further says nothing more.
const MAX_BEHIND: u32 = 10_000;
/// Rows that are sealed anew at a time.
const RESEALED: u32 = 100;

/// A webhook with a secret, which is shown this once.
#[derive(Debug)]
pub struct WebhookWithSecret {
    pub webhook: WebhookView,
    pub secret: Secret<String>,
}

impl Service {
    /// From now on the receiver is told what happens, its own registration first.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, [`ApiFailure::Conflict`] where there are too many, or
    /// the store's.
    pub async fn create_webhook(
        &self,
        caller: &Caller,
        request: CreateWebhook,
    ) -> Result<WebhookWithSecret, ApiFailure> {
        let fields = request.read(&self.webhooks)?;
        let (now, secret) = (self.clock.now(), WebhookSecret::generate(&self.entropy));
        let id = WebhookId::generate(now, &self.entropy);
        let progress = Progress {
            position: EventSeq::START,
            due_at: now,
            failures: 0,
            failing_since: None,
            last_success_at: None,
            last_error_at: None,
            last_error: None,
        };
        let hook = Webhook {
            id,
            workspace: caller.workspace.id,
            url: fields.url,
            description: fields.description,
            types: fields.types,
            enabled: true,
            secret: self.seal_webhook_secret(&secret, id),
            previous_secret: None,
            created_at: now,
            version: 1,
            progress,
        };
        let detail = json!({ "url": hook.url.without_query(), "description": hook.description, "types": hook.types });
        let audit = self.admin_event(caller, "webhook.create", id.to_string()).with_detail(&detail);
        // What has happened before is not for it.
        self.number_events().await?;
        if !self.store.insert_webhook(hook, MAX_WEBHOOKS, audit).await? {
            return Err(ApiFailure::Conflict(format!("a workspace has at most {MAX_WEBHOOKS} webhooks").into()));
        }
        Ok(WebhookWithSecret { webhook: self.find_webhook(caller, id).await?, secret: secret.text() })
    }

    /// All of the caller's workspace, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_webhooks(&self, caller: &Caller) -> Result<Vec<WebhookView>, StoreError> {
        let mut views = Vec::new();
        for hook in self.store.list_webhooks(caller.workspace.id).await? {
            views.push(self.view_webhook(caller, hook).await?);
        }
        Ok(views)
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for another workspace's, or the store's.
    pub async fn find_webhook(&self, caller: &Caller, id: WebhookId) -> Result<WebhookView, ApiFailure> {
        let hook = self.own_webhook(caller, id).await?;
        Ok(self.view_webhook(caller, hook).await?)
    }

    /// Counts from the next delivery on, which is due at once.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::PreconditionFailed`], [`ApiFailure::Invalid`], or the store's.
    pub async fn edit_webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
        versions: &IfMatch,
        edit: EditWebhook,
    ) -> Result<WebhookView, ApiFailure> {
        let hook = self.own_webhook(caller, id).await?;
        versions.check(hook.version)?;
        let edited = edit.apply(&hook, &self.webhooks)?;
        let mut changes = Changes::default();
        if hook.url != edited.url {
            changes.note("url", &hook.url.without_query(), &edited.url.without_query());
            if hook.url.without_query() == edited.url.without_query() {
                changes.note_secret("url", "another query");
            }
        }
        changes.note("description", &hook.description, &edited.description);
        changes.note("types", &hook.types, &edited.types);
        changes.note("enabled", &hook.enabled, &edited.enabled);
        if changes.is_empty() {
            return Ok(self.view_webhook(caller, hook).await?);
        }
        self.write_webhook(caller, edited, "webhook.update", changes).await
    }

    /// Makes a new secret. Deliveries are signed with the one before too, for `overlap` longer.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::Invalid`] for an overlap of more than 30 days, or the store's.
    pub async fn rotate_webhook_secret(
        &self,
        caller: &Caller,
        id: WebhookId,
        overlap: Option<Lifetime>,
    ) -> Result<WebhookWithSecret, ApiFailure> {
        let overlap = overlap.unwrap_or(DEFAULT_OVERLAP);
        if overlap > MAX_OVERLAP {
            return Err(ApiFailure::field("/overlap", format!("is at most {MAX_OVERLAP}")));
        }
        let hook = self.own_webhook(caller, id).await?;
        let secret = WebhookSecret::generate(&self.entropy);
        let previous = PreviousSecret { secret: hook.secret, until: self.clock.now().plus(overlap.as_duration()) };
        let rotated = Webhook {
            secret: self.seal_webhook_secret(&secret, id),
            previous_secret: (overlap > Lifetime::from_secs(0)).then_some(previous),
            ..hook
        };
        let mut changes = Changes::default();
        changes.note_secret("secret", &format!("replaced, with an overlap of {overlap}"));
        let webhook = self.write_webhook(caller, rotated, "webhook.rotate_secret", changes).await?;
        Ok(WebhookWithSecret { webhook, secret: secret.text() })
    }

    /// What it has not been told yet, it never will; a dry run tells how much that is.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn delete_webhook(
        &self,
        caller: &Caller,
        id: WebhookId,
        dry_run: bool,
    ) -> Result<DeletedWebhook, ApiFailure> {
        let hook = self.own_webhook(caller, id).await?;
        let behind = self.store.count_events_after(hook.workspace, hook.progress.position, MAX_BEHIND).await?;
        let told = DeletedWebhook { id, dry_run, behind };
        if dry_run {
            return Ok(told);
        }
        let detail = json!({ "url": hook.url.without_query() });
        let audit = self.admin_event(caller, "webhook.delete", id.to_string()).with_detail(&detail);
        let deleted = self.store.delete_webhook(caller.workspace.id, id, audit).await?;
        if deleted { Ok(told) } else { Err(ApiFailure::NotFound("webhook")) }
    }

    async fn write_webhook(
        &self,
        caller: &Caller,
        hook: Webhook,
        action: &'static str,
        changes: Changes,
    ) -> Result<WebhookView, ApiFailure> {
        let id = hook.id;
        let audit = self.admin_event(caller, action, id.to_string()).with_detail(&changes.into_detail());
        let written = self.store.update_webhook(hook, audit).await?;
        let current = self.own_webhook(caller, id).await?;
        if !written {
            return Err(ApiFailure::PreconditionFailed { current: current.version });
        }
        Ok(self.view_webhook(caller, current).await?)
    }

    async fn own_webhook(&self, caller: &Caller, id: WebhookId) -> Result<Webhook, ApiFailure> {
        self.store.find_webhook(caller.workspace.id, id).await?.ok_or(ApiFailure::NotFound("webhook"))
    }

    async fn view_webhook(&self, caller: &Caller, hook: Webhook) -> Result<WebhookView, StoreError> {
        let behind = self.store.count_events_after(hook.workspace, hook.progress.position, MAX_BEHIND).await?;
        Ok(WebhookView::new(hook, &caller.workspace.name, behind, self.clock.now()))
    }

    fn seal_webhook_secret(&self, secret: &WebhookSecret, id: WebhookId) -> SealedSecret {
        let keys = self.codec.keys().current();
        let bytes = keys.sealing().seal(secret.bytes().expose_secret(), PURPOSE, id.as_bytes(), &self.entropy);
        SealedSecret { bytes, key_version: keys.version() }
    }

    /// `None` where the master key that it was sealed under is gone.
    fn open_webhook_secret(&self, sealed: &SealedSecret, id: WebhookId) -> Option<WebhookSecret> {
        let keys = self.codec.keys().find(sealed.key_version)?;
        keys.sealing().open(&sealed.bytes, PURPOSE, id.as_bytes()).map(WebhookSecret::from_bytes)
    }

    /// What deliveries are signed with now: the secret, and for a while the one before.
    fn secrets_of(&self, hook: &Webhook, now: Timestamp) -> Option<Vec<WebhookSecret>> {
        let previous = hook.previous_secret.as_ref().filter(|previous| previous.until > now);
        let all = std::iter::once(&hook.secret).chain(previous.map(|previous| &previous.secret));
        all.map(|sealed| self.open_webhook_secret(sealed, hook.id)).collect()
    }

    /// While the master key is changed: seals under the new one what is under the old one.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn reseal_webhooks(&self) -> Result<(), StoreError> {
        let current = self.codec.keys().current().version();
        for hook in self.store.list_webhooks_sealed_otherwise(current, RESEALED).await? {
            let again = |sealed: &SealedSecret| {
                self.open_webhook_secret(sealed, hook.id).map(|secret| self.seal_webhook_secret(&secret, hook.id))
            };
            let Some(secret) = again(&hook.secret) else {
                tracing::error!(webhook.id = %hook.id, "the secret of a webhook is sealed under a master key that is gone; rotate it");
                continue;
            };
            let previous = hook.previous_secret.as_ref();
            let previous_secret =
                previous.and_then(|own| Some(PreviousSecret { secret: again(&own.secret)?, until: own.until }));
            self.store.reseal_webhook(Webhook { secret, previous_secret, ..hook.clone() }).await?;
        }
        Ok(())
    }
}

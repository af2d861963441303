//! Delivers events: at least once, in their order, by one process at a time for each webhook.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use super::sender::{Message, SendFailure, TIMEOUT};
use crate::domain::clock::BootTime;
use crate::domain::webhook::{WebhookSecret, wait_after};
use crate::service::events::EventView;
use crate::service::{RequestContext, Service};
use crate::store::StoreError;
use crate::store::event::{EventRow, EventSeq};
use crate::store::webhook_delivery::{ClaimedWebhook, DeliveryClaim, Failure};

/// The one who delivers, on one node.
#[derive(Debug)]
pub struct Courier {
    service: Service,
    stop: watch::Receiver<bool>,
    under_way: JoinSet<()>,
}

/// How often is looked for something to deliver.
const EVERY: Duration = Duration::from_secs(1);
/// Deliveries at the same time on one node. A receiver that hangs holds a place for [`TIMEOUT`], then waits longer and longer.
const PLACES: usize = 16;
/// How long a claim holds without a delivery: others take over from a node that was killed. Far longer than [`TIMEOUT`], so that
/// a message can't arrive after those that somebody else has sent since.
const CLAIM: Duration = Duration::from_secs(60);
/// Events that are read at a time.
const BATCH: u32 = 100;
/// Then others get the place.
const MAX_TURN: Duration = Duration::from_secs(30);
/// What a message that is under way gets when the process is to end.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Courier {
    #[must_use]
    pub fn new(service: Service, stop: watch::Receiver<bool>) -> Self {
        Self { service, stop, under_way: JoinSet::new() }
    }

    /// Delivers until told to stop.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => break,
                _ = ticks.tick() => {}
            }
            while self.under_way.try_join_next().is_some() {}
            if let Err(error) = self.look().await {
                tracing::warn!(error = ?error, "events will be delivered later");
            }
        }
        while self.under_way.join_next().await.is_some() {}
    }

    /// Numbers what is new, and begins with what is due.
    async fn look(&mut self) -> Result<(), StoreError> {
        let service = &self.service;
        service.number_events().await?;
        let free = PLACES.saturating_sub(self.under_way.len());
        let due = service.store.list_due_webhooks(service.clock.now(), u32::try_from(free).unwrap_or(0)).await?;
        for webhook in due {
            let turn = Turn {
                service: service.clone(),
                claim: DeliveryClaim { webhook, mark: service.entropy.unique() },
                stop: self.stop.clone(),
            };
            self.under_way.spawn(async move {
                if let Err(error) = turn.take().await {
                    tracing::warn!(webhook.id = %turn.claim.webhook, error = ?error, "a webhook will be delivered to later");
                }
            });
        }
        Ok(())
    }
}

/// One claim on one webhook.
struct Turn {
    service: Service,
    claim: DeliveryClaim,
    stop: watch::Receiver<bool>,
}

/// Why a turn ends.
enum End {
    /// All is delivered, others are to have the place, or the process ends.
    Done,
    /// The claim is somebody else's, or may be.
    Lost,
    Failed(SendFailure),
}

impl Turn {
    async fn take(&self) -> Result<(), StoreError> {
        let (service, claim) = (&self.service, self.claim);
        let (began, now) = (service.clock.boottime(), service.clock.now());
        if !service.store.claim_webhook(claim, now, now.plus(CLAIM)).await? {
            return Ok(());
        }
        let Some(claimed) = service.store.find_claimed_webhook(claim).await? else {
            return Ok(());
        };
        let mut position = claimed.webhook.progress.position;
        match self.deliver_all(&claimed, began, &mut position).await? {
            End::Done => service.store.release_webhook(claim, position).await,
            End::Lost => Ok(()),
            End::Failed(failure) => self.fail(&claimed, position, &failure).await,
        }
    }

    /// Delivers what follows `position`, and moves it.
    async fn deliver_all(
        &self,
        claimed: &ClaimedWebhook,
        began: BootTime,
        position: &mut EventSeq,
    ) -> Result<End, StoreError> {
        let Some(secrets) = self.service.secrets_of(&claimed.webhook, self.service.clock.now()) else {
            return Ok(End::Failed(SendFailure::NoSecret));
        };
        let mut held_since = began;
        loop {
            let events = self.service.store.list_events(claimed.webhook.workspace, *position, BATCH).await?;
            if events.is_empty() || self.service.clock.boottime().since(began) > MAX_TURN {
                return Ok(End::Done);
            }
            for event in events {
                let seq = event.seq;
                if claimed.webhook.wants(event.kind) {
                    let step = self.deliver(claimed, &secrets, event, &mut held_since).await?;
                    if let ControlFlow::Break(end) = step {
                        return Ok(end);
                    }
                }
                *position = seq;
            }
        }
    }

    async fn deliver(
        &self,
        claimed: &ClaimedWebhook,
        secrets: &[WebhookSecret],
        event: EventRow,
        held_since: &mut BootTime,
    ) -> Result<ControlFlow<End>, StoreError> {
        let (service, now) = (&self.service, self.service.clock.boottime());
        if *self.stop.borrow() {
            return Ok(ControlFlow::Break(End::Done));
        }
        // What is sent now has arrived or been given up before anybody else may send.
        if now.since(*held_since) + TIMEOUT > CLAIM / 2 {
            return Ok(ControlFlow::Break(End::Lost));
        }
        let (id, seq) = (event.act.id, event.seq);
        let body = serde_json::to_vec(&EventView::new(event, &claimed.workspace)).expect("an event is plain data");
        let sent_at = service.clock.now();
        let message = Message { url: &claimed.webhook.url, secrets, id: id.to_string(), sent_at, body };
        let sent = tokio::select! {
            sent = service.webhooks.send(message) => sent,
            () = self.last_words() => return Ok(ControlFlow::Break(End::Done)),
        };
        match sent {
            Ok(_) => {
                service.webhooks.figures.delivered.fetch_add(1, Ordering::Relaxed);
                let (again, at) = (service.clock.boottime(), service.clock.now());
                if service.store.note_delivered(self.claim, seq, at, at.plus(CLAIM)).await? {
                    *held_since = again;
                    Ok(ControlFlow::Continue(()))
                } else {
                    Ok(ControlFlow::Break(End::Lost))
                }
            }
            Err(failure) => Ok(ControlFlow::Break(End::Failed(failure))),
        }
    }

    /// Returns a moment after the process was told to end.
    async fn last_words(&self) {
        let mut stop = self.stop.clone();
        let _told_or_never = stop.wait_for(|stop| *stop).await.map(drop);
        sleep_until(Instant::now() + LAST_WORDS).await;
    }

    async fn fail(
        &self,
        claimed: &ClaimedWebhook,
        position: EventSeq,
        failure: &SendFailure,
    ) -> Result<(), StoreError> {
        let (service, hook, now) = (&self.service, &claimed.webhook, self.service.clock.now());
        // Something may have been taken in this turn: what was counted before it is over.
        let went_on = position != hook.progress.position;
        let since = hook.progress.failing_since.filter(|_| !went_on).unwrap_or(now);
        let failures = if went_on { 1 } else { hook.progress.failures.saturating_add(1) };
        let [chance] = service.entropy.unique();
        let wait = wait_after(failures, chance);
        let gives_up = now >= since.plus(service.webhooks.give_up_after);
        let (action, target) = ("webhook.switch_off", hook.id.to_string());
        let audit = gives_up.then(|| {
            let event =
                service.audit_event(&RequestContext::default(), hook.workspace, "system".to_owned(), action, target);
            event.with_detail(&serde_json::json!({ "failing_since": since, "last_error": failure.to_string() }))
        });
        let noted =
            Failure { position, at: now, error: failure.to_string(), due_at: now.plus(wait), switch_off: audit };
        if service.store.note_failure(self.claim, noted).await? {
            service.webhooks.figures.failed.fetch_add(1, Ordering::Relaxed);
            if gives_up {
                service.webhooks.figures.switched_off.fetch_add(1, Ordering::Relaxed);
            }
            tracing::info!(webhook.id = %hook.id, error = %failure, failures, gives_up, ?wait, "a delivery was not taken");
        }
        Ok(())
    }
}

impl Service {
    /// Notes since when the oldest event waits that is to be delivered to somebody.
    ///
    /// # Errors
    /// The store's.
    pub async fn watch_deliveries(&self) -> Result<(), StoreError> {
        let oldest = self.store.find_oldest_undelivered().await?;
        self.webhooks.figures.note_oldest(oldest.map(|id| id.created_at()));
        Ok(())
    }
}

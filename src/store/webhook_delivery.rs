//! Table `webhook`: who delivers, and how far it has got.
//!
//! A claim lets one process at a time deliver to a webhook. Each step is written under the claim, so that somebody who has lost it
//! moves nothing any more.

use std::sync::Arc;

use sqlx::FromRow;

use super::audit::{self, AuditEvent};
use super::database::Db;
use super::event::EventSeq;
use super::statement::Statement;
use super::webhook::{self, Webhook, webhook_columns};
use super::{Store, StoreError, decode};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{AuditId, WebhookId};

/// Those that may be delivered to now, the longest overdue first.
static DUE: Statement = Statement::both(
    "webhook.due",
    "SELECT h.id FROM webhook h JOIN workspace s ON s.id = h.workspace_id WHERE h.enabled AND s.deleted_at IS NULL \
     AND h.due_at <= $1 AND h.claimed_until <= $1 \
     AND EXISTS (SELECT 1 FROM event e WHERE e.workspace_id = h.workspace_id AND e.seq > h.position_seq) \
     ORDER BY h.due_at, h.id LIMIT $2",
);
static CLAIM: Statement = Statement::both(
    "webhook.claim",
    "UPDATE webhook SET claim = $2, claimed_until = $3 WHERE id = $1 AND enabled AND due_at <= $4 AND claimed_until <= $4",
);
static FIND_CLAIMED: Statement = Statement::both(
    "webhook.find_claimed",
    concat!(
        "SELECT ",
        webhook_columns!(),
        ", s.name AS workspace FROM webhook h JOIN workspace s ON s.id = h.workspace_id WHERE h.id = $1 AND h.claim = $2"
    ),
);
static DELIVERED: Statement = Statement::both(
    "webhook.delivered",
    "UPDATE webhook SET position_seq = $3, failures = 0, failing_since = NULL, last_success_at = $4, claimed_until = $5 \
     WHERE id = $1 AND claim = $2",
);
static RELEASE: Statement = Statement::both(
    "webhook.release",
    "UPDATE webhook SET position_seq = $3, claim = NULL, claimed_until = 0 WHERE id = $1 AND claim = $2",
);
static FAILED: Statement = Statement::both(
    "webhook.failed",
    "UPDATE webhook SET position_seq = $3, failures = failures + 1, failing_since = COALESCE(failing_since, $4), \
     last_error_at = $4, last_error = $5, due_at = $6, claim = NULL, claimed_until = 0 WHERE id = $1 AND claim = $2",
);
static SWITCH_OFF: Statement = Statement::both(
    "webhook.switch_off",
    "UPDATE webhook SET enabled = FALSE, version = version + 1 WHERE id = $1 AND claim = $2",
);
/// The first event that somebody who is to hear of it has not heard of: its id tells its time.
static OLDEST: Statement = Statement::both(
    "webhook.oldest",
    "SELECT first FROM (SELECT (SELECT e.id FROM event e WHERE e.workspace_id = h.workspace_id AND e.seq > h.position_seq \
     ORDER BY e.seq LIMIT 1) AS first FROM webhook h JOIN workspace s ON s.id = h.workspace_id \
     WHERE h.enabled AND s.deleted_at IS NULL) AS waiting WHERE first IS NOT NULL ORDER BY first LIMIT 1",
);

pub(super) const STATEMENTS: &[&Statement] =
    &[&DUE, &CLAIM, &FIND_CLAIMED, &DELIVERED, &RELEASE, &FAILED, &SWITCH_OFF, &OLDEST];

/// The right to deliver, as one process has it for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryClaim {
    pub webhook: WebhookId,
    /// Drawn anew for each claim.
    pub mark: [u8; 16],
}

/// A webhook that is claimed, and the name of its workspace.
#[derive(Clone, Debug)]
pub struct ClaimedWebhook {
    pub webhook: Webhook,
    pub workspace: String,
}

#[derive(FromRow)]
struct ClaimedRow {
    #[sqlx(flatten)]
    webhook: webhook::Row,
    workspace: String,
}

/// A delivery that was not taken.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The last event before it.
    pub position: EventSeq,
    pub at: Timestamp,
    pub error: String,
    /// When it is tried again.
    pub due_at: Timestamp,
    /// The row of the audit if it is not: the webhook is switched off.
    pub switch_off: Option<AuditEvent>,
}

async fn fail(db: &mut Db<'_>, claim: DeliveryClaim, failure: &Failure) -> Result<bool, StoreError> {
    let (failed, switch_off) = (db.sql(&FAILED), db.sql(&SWITCH_OFF));
    let (id, mark): (&[u8], &[u8]) = (claim.webhook.as_bytes(), &claim.mark);
    let held = on_conn!(db, |conn| {
        if failure.switch_off.is_some() {
            sqlx::query(switch_off).bind(id).bind(mark).execute(&mut **conn).await?;
        }
        let query = sqlx::query(failed)
            .bind(id)
            .bind(mark)
            .bind(failure.position.column())
            .bind(failure.at.ms())
            .bind(&failure.error)
            .bind(failure.due_at.ms());
        query.execute(&mut **conn).await?.rows_affected() > 0
    });
    if let Some(audit) = failure.switch_off.as_ref().filter(|_| held) {
        audit::insert(db, &[audit]).await?;
    }
    Ok(held)
}

impl Store {
    /// Webhooks that something is to be delivered to now.
    pub(crate) async fn list_due_webhooks(&self, now: Timestamp, limit: u32) -> Result<Vec<WebhookId>, StoreError> {
        let ids: Vec<Vec<u8>> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&DUE);
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_scalar(sql).bind(now.ms()).bind(i64::from(limit)).fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        ids.iter().map(|id| decode::id_bytes(id).map(WebhookId::from_bytes)).collect()
    }

    /// False when somebody else was faster.
    pub(crate) async fn claim_webhook(
        &self,
        claim: DeliveryClaim,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let claimed = self.database.transact("webhook.claim", move |mut db| {
            Box::pin(async move {
                let sql = db.sql(&CLAIM);
                let (id, mark): (&[u8], &[u8]) = (claim.webhook.as_bytes(), &claim.mark);
                let rows = on_conn!(db, |conn| {
                    let query = sqlx::query(sql).bind(id).bind(mark).bind(until.ms()).bind(now.ms());
                    query.execute(&mut **conn).await?.rows_affected()
                });
                Ok(rows > 0)
            })
        });
        claimed.await
    }

    pub(crate) async fn find_claimed_webhook(
        &self,
        claim: DeliveryClaim,
    ) -> Result<Option<ClaimedWebhook>, StoreError> {
        let row: Option<ClaimedRow> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND_CLAIMED);
                    let (id, mark): (&[u8], &[u8]) = (claim.webhook.as_bytes(), &claim.mark);
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql).bind(id).bind(mark).fetch_optional(&mut **conn).await)?)
                })
            })
            .await?;
        row.map(|row| Ok(ClaimedWebhook { webhook: row.webhook.try_into()?, workspace: row.workspace })).transpose()
    }

    /// An event was taken. False when the claim is lost: somebody else goes on, from where they know it to be.
    pub(crate) async fn note_delivered(
        &self,
        claim: DeliveryClaim,
        position: EventSeq,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let noted = self.database.transact("webhook.delivered", move |mut db| {
            Box::pin(async move {
                let sql = db.sql(&DELIVERED);
                let (id, mark): (&[u8], &[u8]) = (claim.webhook.as_bytes(), &claim.mark);
                let rows = on_conn!(db, |conn| {
                    let query = sqlx::query(sql).bind(id).bind(mark).bind(position.column());
                    query.bind(at.ms()).bind(until.ms()).execute(&mut **conn).await?.rows_affected()
                });
                Ok(rows > 0)
            })
        });
        noted.await
    }

    /// Gives the claim up, at this position.
    pub(crate) async fn release_webhook(&self, claim: DeliveryClaim, position: EventSeq) -> Result<(), StoreError> {
        let released = self.database.transact("webhook.release", move |mut db| {
            Box::pin(async move {
                let sql = db.sql(&RELEASE);
                let (id, mark): (&[u8], &[u8]) = (claim.webhook.as_bytes(), &claim.mark);
                on_conn!(db, |conn| {
                    let query = sqlx::query(sql).bind(id).bind(mark).bind(position.column());
                    query.execute(&mut **conn).await.map(drop)
                })?;
                Ok(())
            })
        });
        released.await
    }

    /// Gives the claim up after a failure. False when it was lost before.
    pub(crate) async fn note_failure(&self, claim: DeliveryClaim, failure: Failure) -> Result<bool, StoreError> {
        let failure = Arc::new(failure);
        let noted = self.database.transact("webhook.failed", move |mut db| {
            let failure = Arc::clone(&failure);
            Box::pin(async move { fail(&mut db, claim, &failure).await })
        });
        noted.await
    }

    /// The oldest event that waits for its delivery.
    pub(crate) async fn find_oldest_undelivered(&self) -> Result<Option<AuditId>, StoreError> {
        let id: Option<Vec<u8>> = self
            .database
            .read(|mut db| {
                Box::pin(async move {
                    let sql = db.sql(&OLDEST);
                    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_optional(&mut **conn).await)?)
                })
            })
            .await?;
        id.map(|id| decode::id_bytes(&id).map(AuditId::from_bytes)).transpose()
    }
}

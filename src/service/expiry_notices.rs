//! Tells that tokens in use are about to end, while there is time to make others.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{RequestContext, Service};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventKind;
use crate::domain::expiry_notice::{IN_USE, SETTLED, Stage};
use crate::store::StoreError;
use crate::store::audit::AuditEvent;
use crate::store::expiry_notice::{Ending, Notices};

/// What ends at this very moment has ended.
fn after(moment: Timestamp) -> Timestamp {
    Timestamp::from_ms(moment.ms().saturating_add(1))
}

impl Service {
    /// Gives every notice that is due now: one for each token, whatever was missed.
    ///
    /// # Errors
    /// The store's; what was not given is given next time.
    pub async fn give_expiry_notices(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for stage in Stage::ALL {
            let notices = Notices {
                stage,
                from: stage.next().map_or(Timestamp::from_ms(0), |next| after(now.plus(next.ahead()))),
                to: after(now.plus(stage.ahead())),
                used_since: now.minus(IN_USE),
                made_by: now.minus(SETTLED),
            };
            let service = self.clone();
            let wording = Arc::new(move |ending: &Ending| service.word_notice(stage, ending, now));
            self.store.give_notices(notices, wording).await?;
        }
        Ok(())
    }

    fn word_notice(&self, stage: Stage, ending: &Ending, now: Timestamp) -> AuditEvent {
        let ended = stage == Stage::Ended;
        let (workspace, target, kind, ends_at, mut detail) = match ending {
            Ending::Grant { id, workspace, policy, name, owner, ends_at, last_used_at } => {
                let kind = if ended { EventKind::TokenExpired } else { EventKind::TokenExpiring };
                let detail = json!({ "policy": policy, "name": name, "owner": owner, "last_used_at": last_used_at });
                (*workspace, id.to_string(), kind, *ends_at, detail)
            }
            Ending::Import { id, workspace, source, ends_at } => {
                let kind = if ended { EventKind::ImportExpired } else { EventKind::ImportExpiring };
                (*workspace, id.to_string(), kind, *ends_at, json!({ "source": source }))
            }
        };
        detail["expires_at"] = json!(ends_at);
        if !ended {
            detail["notice_days"] = Value::from(stage.days());
            detail["expires_in"] = Value::from(ends_at.seconds_left(now));
        }
        let event = self.audit_event(&RequestContext::default(), workspace, "system".to_owned(), kind.action(), target);
        event.with_detail(&detail)
    }
}

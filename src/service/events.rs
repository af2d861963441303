//! `/admin/v1/events`: what has happened in a workspace, in an order in which nothing is missed.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::Service;
use super::caller::Caller;
use super::error::ApiFailure;
use crate::domain::clock::Timestamp;
use crate::domain::event::EventKind;
use crate::domain::ids::AuditId;
use crate::store::StoreError;
use crate::store::event::{EventRow, EventSeq};

/// Something that has happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventView {
    /// The same wherever and however often it is told; the line of the audit log has it too
    pub id: AuditId,
    pub r#type: EventKind,
    pub time: Timestamp,
    /// The name of the workspace
    pub workspace: String,
    /// `user:<id>`, `client:<client id>`, `operator` or `system`
    pub actor: String,
    /// The id of what it happened to
    pub subject: String,
    #[schema(required)]
    pub request_id: Option<String>,
    /// What else there is to say: depends on the type, and may have more members one day
    #[schema(value_type = Object)]
    pub data: Map<String, Value>,
}

impl EventView {
    pub(super) fn new(row: EventRow, workspace: &str) -> Self {
        let EventRow { kind, act, .. } = row;
        let mut data = match act.detail {
            Some(Value::Object(detail)) => detail,
            Some(other) => Map::from_iter([("detail".to_owned(), other)]),
            None => Map::new(),
        };
        // The audit says of a mass revocation whose tokens and which policies in one text.
        let subject = match act.target.split_once(" policy:") {
            Some((subject, policies)) if kind == EventKind::TokenAllRevoked => {
                let policies: Vec<&str> = policies.split(',').filter(|policy| !policy.is_empty()).collect();
                data.insert("policies".to_owned(), json!(policies));
                subject.to_owned()
            }
            _ => act.target,
        };
        Self {
            id: act.id,
            r#type: kind,
            time: act.at,
            workspace: workspace.to_owned(),
            actor: act.actor,
            subject,
            request_id: act.request_id,
            data,
        }
    }
}

/// Some events, and where the next ones begin.
#[derive(Debug)]
pub struct Events {
    pub events: Vec<EventView>,
    /// The last one that was looked at.
    pub next: Option<(AuditId, EventSeq)>,
    /// Whether others were there already.
    pub more: bool,
}

/// Events that are looked at for one page: a type that is rare must not make it read them all.
const MAX_LOOKED_AT: u32 = 5_000;
/// Those that are read at a time.
const MAX_READ: u32 = 1_000;

impl Service {
    /// Puts what is committed into its order; then tells where to read on after this event, or from the oldest that is kept.
    ///
    /// # Errors
    /// [`ApiFailure::Gone`] for an event that is not kept in this workspace, and the store's.
    pub async fn find_event(&self, caller: &Caller, after: Option<AuditId>) -> Result<EventSeq, ApiFailure> {
        self.number_events().await?;
        let Some(id) = after else {
            return Ok(EventSeq::START);
        };
        let found = self.store.find_event(caller.workspace.id, id).await?;
        found.ok_or(ApiFailure::Gone("the event of this cursor is not kept, so that what followed it can't be told"))
    }

    /// Up to `limit` events of these kinds, of all where there are none, after the one of this number.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_events(
        &self,
        caller: &Caller,
        kinds: &[EventKind],
        mut after: EventSeq,
        limit: u32,
    ) -> Result<Events, StoreError> {
        let (mut page, mut looked_at) = (Events { events: Vec::new(), next: None, more: false }, 0);
        loop {
            let ask = if kinds.is_empty() { limit + 1 } else { MAX_READ };
            let rows = self.store.list_events(caller.workspace.id, after, ask).await?;
            let full = rows.len() == ask as usize;
            for row in rows {
                if page.events.len() == limit as usize {
                    return Ok(Events { more: true, ..page });
                }
                (page.next, after) = (Some((row.act.id, row.seq)), row.seq);
                looked_at += 1;
                if kinds.is_empty() || kinds.contains(&row.kind) {
                    page.events.push(EventView::new(row, &caller.workspace.name));
                }
            }
            if !full || looked_at >= MAX_LOOKED_AT {
                return Ok(Events { more: full, ..page });
            }
        }
    }

    /// Puts all acts that are committed now into the order in which they are told.
    ///
    /// # Errors
    /// The store's.
    pub async fn number_events(&self) -> Result<(), StoreError> {
        self.store.number_events().await
    }
}

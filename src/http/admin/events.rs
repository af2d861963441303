//! `/admin/v1/events`

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::domain::event::EventKind;
use crate::domain::ids::AuditId;
use crate::http::caller::Admin;
use crate::http::export::{self, Format, Record};
use crate::http::list_query::{Filters, ListQuery};
use crate::http::oauth_error::no_store;
use crate::http::page::{self, Limit};
use crate::http::{Answer, AppState, problem};
use crate::service::error::{ApiFailure, FieldError};
use crate::service::events::EventView;

/// What is read of the query.
const PARAMETERS: &[&str] = &["type", "cursor", "limit"];

impl Record for EventView {
    const COLUMNS: &'static [&'static str] =
        &["id", "type", "time", "workspace", "actor", "subject", "request_id", "data"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.r#type.as_str().to_owned(),
            self.time.to_string(),
            self.workspace.clone(),
            self.actor.clone(),
            self.subject.clone(),
            self.request_id.clone().unwrap_or_default(),
            serde_json::Value::from(self.data.clone()).to_string(),
        ]
    }
}

/// Which events are asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
struct EventQuery {
    /// Any of them
    r#type: Option<Vec<EventKind>>,
    /// The id of the last event that is known; without it, the list begins with the oldest that is kept
    #[param(pattern = "^(evt_[0-9A-Za-z]{22})?$")]
    cursor: Option<String>,
    /// Events of the page
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
}

/// A page of events, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct EventPage<'a> {
    data: &'a [EventView],
    /// Where the next events will be, also when there are none yet: the id of the last one that was looked at; null while there was none
    #[schema(required)]
    next_cursor: Option<String>,
    /// Whether there are more already
    more: bool,
}

/// Follow what happens in the workspace, the oldest first
///
/// Ask again with the `next_cursor` of the answer before: nothing is missed, nothing comes twice, and the order is that of the acts on each
/// thing. With `Accept: application/x-ndjson` or `text/csv` everything up to now is streamed; the id of the last line is the cursor.
#[utoipa::path(get, path = "/admin/v1/events", params(EventQuery),
    responses(
        (status = 200, description = "A page, or everything up to now", content(
            (EventPage<'static> = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
        )),
        (status = 410, description = "The event of the cursor is not kept any more, or was lost with a database that has gone back: begin anew"),
    ))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let asked = Asked::read(&parts.uri).map_err(problem::of(&parts))?;
    let after = state.service.find_event(&caller, asked.cursor).await.map_err(problem::of(&parts))?;
    if let Format::Whole(whole) = Format::accepted(&parts.headers) {
        let asked = Arc::new((state, caller, asked.kinds));
        let page = move |after, first: bool| {
            let asked = Arc::clone(&asked);
            async move {
                let page = asked.0.service.list_events(&asked.1, &asked.2, after, export::PAGE).await?;
                let next = page.next.filter(|_| page.more).map(|(_, seq)| seq);
                Ok::<_, ApiFailure>((whole.write(&page.events, first), next))
            }
        };
        return export::whole(whole, "events", after, page).await.map_err(problem::of(&parts));
    }
    let page = state.service.list_events(&caller, &asked.kinds, after, asked.limit.0).await;
    let page = page.map_err(ApiFailure::from).map_err(problem::of(&parts))?;
    let next = page.next.map(|(id, _)| id).or(asked.cursor);
    Ok(respond(&parts.uri, asked.limit, &page.events, next, page.more))
}

fn respond(uri: &Uri, limit: Limit, data: &[EventView], next: Option<AuditId>, more: bool) -> Response {
    let body = EventPage { data, next_cursor: next.map(|id| id.to_string()), more };
    let mut response = no_store(&body);
    if let Some(cursor) = body.next_cursor.as_deref().filter(|_| more) {
        page::link_next(&mut response, uri, limit.0, cursor);
    }
    response
}

struct Asked {
    kinds: Vec<EventKind>,
    cursor: Option<AuditId>,
    limit: Limit,
}

impl Asked {
    fn read(uri: &Uri) -> Result<Self, ApiFailure> {
        let query = ListQuery::filters(uri, PARAMETERS)?;
        let kinds = query.all_as("type", |text| text.parse().ok(), "is not a type of event");
        let cursor =
            once(&query, "cursor", |text| text.parse::<AuditId>().ok().ok_or("is not the id of an event".to_owned()));
        Ok(Self { kinds: kinds?, cursor: cursor?, limit: once(&query, "limit", str::parse)?.unwrap_or_default() })
    }
}

fn once<T>(query: &Filters, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, ApiFailure> {
    let given = query.text(name)?;
    let bad = |detail| ApiFailure::Invalid(vec![FieldError::new(format!("?{name}"), detail)]);
    given.map(|text| read(&text).map_err(bad)).transpose()
}

//! `/admin/v1/audit`

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::domain::clock::Timestamp;
use crate::domain::ids::AuditId;
use crate::http::caller::Admin;
use crate::http::export::{self, Format, Record};
use crate::http::list_query::ListQuery;
use crate::http::openapi::texts::FilterText;
use crate::http::page::{Page, PageQuery};
use crate::http::{Answer, AppState, page, problem};
use crate::service::audit_list::AuditView;
use crate::service::error::ApiFailure;
use crate::store::audit_query::{AuditCursor, AuditFilter};

const FILTERS: &[&str] = &["action", "actor", "target", "request_id", "created_after", "created_before"];

impl Record for AuditView {
    const COLUMNS: &'static [&'static str] = &["id", "created_at", "action", "actor", "target", "request_id", "detail"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.created_at.to_string(),
            self.action.clone(),
            self.actor.clone(),
            self.target.clone(),
            self.request_id.clone().unwrap_or_default(),
            self.detail.as_ref().map(ToString::to_string).unwrap_or_default(),
        ]
    }
}

/// What the list of acts may be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
struct AuditQuery {
    /// `resource.verb`; any of them
    action: Option<Vec<FilterText>>,
    /// `user:<id>`, `client:<client id>`, `operator` or `system`; any of them
    actor: Option<Vec<FilterText>>,
    /// The id of what was acted on; any of them
    target: Option<Vec<FilterText>>,
    /// Any of them
    request_id: Option<Vec<FilterText>>,
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
}

/// List what was done in the workspace, newest first
///
/// With `Accept: text/csv` or `application/x-ndjson` the whole list is streamed.
#[utoipa::path(get, path = "/admin/v1/audit", params(AuditQuery, PageQuery),
    responses((status = 200, description = "A page, or the whole list", content(
        (Page<'static, AuditView> = "application/json"),
        (String = "text/csv"),
        (String = "application/x-ndjson"),
    ))))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let query = ListQuery::read(&parts.uri, FILTERS).map_err(problem::of(&parts))?;
    let filter = filter(&query).map_err(problem::of(&parts))?;
    let after = query.page.after.map_or(AuditCursor::START, |(at, id)| AuditCursor { at, id: AuditId::from_bytes(id) });
    if let Format::Whole(whole) = Format::accepted(&parts.headers) {
        let asked = Arc::new((state, caller, filter));
        let page = move |after: AuditCursor, first: bool| {
            let asked = Arc::clone(&asked);
            async move {
                let (rows, next) = asked.0.service.list_audit(&asked.1, &asked.2, after, export::PAGE).await?;
                Ok::<_, ApiFailure>((whole.write(&rows, first), next))
            }
        };
        return export::whole(whole, "audit", after, page).await.map_err(problem::of(&parts));
    }
    let listed = state.service.list_audit(&caller, &filter, after, query.page.limit).await;
    let (rows, next) = listed.map_err(ApiFailure::from).map_err(problem::of(&parts))?;
    Ok(page::respond(&parts.uri, query.page.limit, &rows, next.map(|next| (next.at, *next.id.as_bytes()))))
}

fn filter(query: &ListQuery) -> Result<AuditFilter, ApiFailure> {
    Ok(AuditFilter {
        actions: query.all("action"),
        actors: query.all("actor"),
        targets: query.all("target"),
        request_ids: query.all("request_id"),
        after: query.moment("created_after")?,
        before: query.moment("created_before")?,
    })
}

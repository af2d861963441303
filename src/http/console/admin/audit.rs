//! `/console/admin/audit`: who did what in the workspace.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;

use crate::domain::ids::AuditId;
use crate::http::console::failure;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::respond::html;
use crate::http::console::token_list::day;
use crate::http::{Answer, AppState, page as cursor};
use crate::service::audit_list::AuditView;
use crate::store::audit_query::{AuditCursor, AuditFilter};

#[derive(Template)]
#[template(path = "console/admin/audit.html")]
struct AuditPage<'a> {
    page: &'a Page,
    events: &'a [AuditView],
    query: &'a Query,
    next: Option<String>,
}

/// The filters as they stand in the address.
struct Query {
    action: String,
    actor: String,
    target: String,
    after: String,
    before: String,
    cursor: String,
}

/// Rows of one page.
const PER_PAGE: u32 = 100;
/// Longer than any id.
const MAX_CHARS: usize = 200;

pub(crate) async fn list(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let page = me.page(Area::Audit);
    let query = Query::read(parts.uri.query().unwrap_or_default());
    let after = cursor::read_cursor(&query.cursor)
        .map_or(AuditCursor::START, |(at, id)| AuditCursor { at, id: AuditId::from_bytes(id) });
    let listed = state.service.list_audit(me.caller(), &query.filter(), after, PER_PAGE).await;
    let (events, next) = listed.map_err(|error| failure::of(&page, &error.into()))?;
    let next = next.map(|next| {
        let mut link = form_urlencoded::Serializer::new(String::new());
        link.extend_pairs(query.pairs().into_iter().filter(|(_, value)| !value.is_empty()));
        link.append_pair("cursor", &cursor::write_cursor(next.at, *next.id.as_bytes()));
        format!("/console/admin/audit?{}", link.finish())
    });
    Ok(html(&AuditPage { page: &page, events: &events, query: &query, next }))
}

impl Query {
    fn read(query: &str) -> Self {
        let text = |wanted: &str| {
            let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.trim().chars().take(MAX_CHARS).collect::<String>()).unwrap_or_default()
        };
        Self {
            action: text("action"),
            actor: text("actor"),
            target: text("target"),
            after: text("after"),
            before: text("before"),
            cursor: text("cursor"),
        }
    }

    fn filter(&self) -> AuditFilter {
        let list = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
        AuditFilter {
            actions: list(&self.action),
            actors: list(&self.actor),
            targets: list(&self.target),
            after: day(&self.after, 0),
            before: day(&self.before, 1),
            ..AuditFilter::default()
        }
    }

    fn pairs(&self) -> [(&'static str, &str); 5] {
        [
            ("action", &self.action),
            ("actor", &self.actor),
            ("target", &self.target),
            ("after", &self.after),
            ("before", &self.before),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }
}

impl AuditPage<'_> {
    fn detail(&self, event: &AuditView) -> String {
        event.detail.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

//! `GET /admin/v1/legacy-imports/{id}/in-use`: which imported tokens were used, and by whom; a page, or all as CSV.

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures_util::stream;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::legacy_imports::import_id;
use crate::domain::clock::Timestamp;
use crate::domain::grant::Owner;
use crate::domain::ids::{GrantId, ImportId};
use crate::domain::moment::Moment;
use crate::http::caller::Admin;
use crate::http::oauth_error::no_store;
use crate::http::path::Segment;
use crate::http::query::Query;
use crate::http::{Answer, AppState, page, problem};
use crate::service::Service;
use crate::service::caller::Caller;
use crate::service::error::ApiFailure;
use crate::service::legacy::StillUsed;

/// A page of the report.
#[derive(Serialize, ToSchema)]
#[schema(as = LegacyInUsePage)]
struct InUsePage<'a> {
    data: Vec<StillUsed<'a>>,
    next_cursor: Option<GrantId>,
}

/// What the report takes in its URL.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the report reads")]
struct InUseQuery {
    /// Used at this moment or later; since the import was made, if it is not given
    used_after: Option<Moment>,
    /// Rows of the page
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page begins: `next_cursor` of the page before
    cursor: Option<String>,
}

/// Tell which tokens of an import are still in use, and by whom
///
/// A page, or with `Accept: text/csv` all of them.
#[utoipa::path(get, path = "/admin/v1/legacy-imports/{import}/in-use", params(("import" = ImportId, Path), InUseQuery),
    responses((status = 200, description = "A page", content(
        (InUsePage<'static> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn in_use(
    State(state): State<AppState>,
    Admin(caller): Admin,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let failed = problem::of;
    let query = Query::read(&parts.uri, &["used_after", "limit", "cursor"]).map_err(failed(&parts))?;
    let since = query.parsed::<Moment>("used_after").map_err(failed(&parts))?.map(|moment| moment.0);
    let after = query.parsed::<GrantId>("cursor").map_err(failed(&parts))?.unwrap_or(START);
    let limit = query.parsed::<page::Limit>("limit").map_err(failed(&parts))?.unwrap_or_default();
    let id = import_id(&id).map_err(failed(&parts))?;
    if wants_csv(&parts.headers) {
        let report = Report { service: state.service.clone(), caller, id, since };
        return report.stream(after).await.map_err(failed(&parts));
    }
    let found = state.service.imported_in_use(&caller, id, since, after, limit.0).await;
    let (grants, next_cursor) = found.map_err(failed(&parts))?;
    let now = state.service.clock.now();
    let data = grants.iter().map(|grant| StillUsed::of(grant, now)).collect();
    Ok(no_store(&InUsePage { data, next_cursor }))
}

/// Before the first grant.
const START: GrantId = GrantId::from_bytes([0; 16]);
/// Rows that are read at a time for CSV.
const CSV_PAGE: u32 = 500;

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|one| one.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv"))
}

/// The whole report, read page by page while it is sent.
struct Report {
    service: Service,
    caller: Caller,
    id: ImportId,
    since: Option<Timestamp>,
}

impl Report {
    async fn stream(self, after: GrantId) -> Result<Response, ApiFailure> {
        // The first page before the head: what fails here is still an answer.
        let (first, next) = self.page(after).await?;
        let head = format!("{}{first}", csv_line(&COLUMNS.map(str::to_owned)));
        let rest = stream::try_unfold((self, next), async |(report, next)| {
            let Some(after) = next else {
                return Ok(None);
            };
            let (text, next) = report.page(after).await.map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(Some((text, (report, next))))
        });
        let body = futures_util::StreamExt::chain(stream::iter([Ok(head)]), rest);
        let mut response = Response::new(Body::from_stream(body));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    async fn page(&self, after: GrantId) -> Result<(String, Option<GrantId>), ApiFailure> {
        let found = self.service.imported_in_use(&self.caller, self.id, self.since, after, CSV_PAGE).await?;
        let now = self.service.clock.now();
        Ok((found.0.iter().map(|grant| csv_line(&cells(&StillUsed::of(grant, now)))).collect(), found.1))
    }
}

const COLUMNS: [&str; 10] = [
    "id",
    "name",
    "owner_type",
    "owner_id",
    "owner_name",
    "scopes",
    "status",
    "created_at",
    "last_used_at",
    "expires_at",
];

fn cells(row: &StillUsed<'_>) -> [String; 10] {
    let (kind, name) = match row.owner {
        Owner::User { name, .. } => ("user", name),
        Owner::Client(client) => ("client", &client.name),
    };
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    [
        row.id.to_string(),
        row.name.unwrap_or_default().to_owned(),
        kind.to_owned(),
        row.owner.subject(),
        name.clone(),
        row.scopes.to_string(),
        row.status.to_string(),
        row.created_at.to_string(),
        moment(row.last_used_at),
        moment(row.expires_at),
    ]
}

/// RFC 4180. A cell that a spreadsheet would take for a formula is made a text.
fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let cell = if formula { format!("'{cell}") } else { cell.clone() };
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
    });
    format!("{}\r\n", quoted.collect::<Vec<_>>().join(","))
}

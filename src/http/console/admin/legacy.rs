//! `/console/admin/legacy`: tokens of older systems: until when they work, who still uses them, more time, or an end.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use crate::domain::grant::Grant;
use crate::domain::ids::ImportId;
use crate::domain::moment::Moment;
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::pager::{self, Pager};
use crate::http::console::removal::{Reached, Recent, Removal};
use crate::http::console::respond::{html, html_with, see_other};
use crate::http::console::token_list::Row;
use crate::http::console::{done, failure};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::error::ApiFailure;
use crate::service::legacy::ImportView;
use crate::store::legacy_import::{Import, ImportCursor};

#[derive(Template)]
#[template(path = "console/admin/legacy.html")]
struct ImportsPage<'a> {
    page: &'a Page,
    imports: Vec<ImportView<'a>>,
    list: Pager,
}

#[derive(Template)]
#[template(path = "console/admin/legacy_import.html")]
struct ImportPage<'a> {
    page: &'a Page,
    import: ImportView<'a>,
    rows: Vec<Row<'a>>,
    /// More were used than are shown.
    more: bool,
    days: u32,
    /// What was typed as the new deadline, or the present one: a date and a time in UTC.
    deadline: String,
    error: Option<String>,
    done: Option<&'static str>,
}

const LIST: &str = "/console/admin/legacy";
const DONE: [&str; 2] = ["import-extended", "import-revoked"];
/// Rows of one page.
const PER_PAGE: u32 = 50;
/// Tokens that are shown; all of them are in the report of the REST API and the command line.
const SHOWN: u32 = 100;
/// Tokens that are named where all of an import is about to be revoked.
const NAMED: u32 = 10;
/// The times that one may look back, in days.
const DAYS: [u32; 3] = [7, 30, 365];

pub(crate) async fn list(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let after = pager::after(&parts.uri)
        .map_or(ImportCursor::START, |(created_at, id)| ImportCursor { created_at, id: ImportId::from_bytes(id) });
    let listed = state.service.list_imports(me.caller(), after, PER_PAGE).await;
    let (imports, next) = listed.map_err(me.failed())?;
    let (now, workspace) = (state.service.clock.now(), me.caller().workspace_name());
    let imports = imports.iter().map(|import| ImportView::of(import, workspace, now)).collect();
    let next = next.map(|next| (next.created_at, *next.id.as_bytes()));
    let list = Pager::new(&parts.uri, LIST, &[], next);
    Ok(html(&ImportsPage { page: &me.page(Area::Legacy), imports, list }))
}

pub(crate) async fn show(State(state): State<AppState>, me: Me, Segment(id): Segment, parts: Parts) -> Answer {
    let import = find(&state, &me, &id).await?;
    let days = pager::value(&parts.uri, "days").parse().ok().filter(|days| DAYS.contains(days));
    page(&state, &me, &import, days.unwrap_or(DAYS[0]), None, done::of(&parts.uri, &DONE)).await
}

/// Moves the deadline.
pub(crate) async fn extend(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    let import = find(&state, &me, &id).await?;
    let typed = fields.text("deadline");
    let Some(deadline) = moment(typed) else {
        let error = me.page.t("deadline-needed").into_owned();
        return page(&state, &me, &import, DAYS[0], Some((typed, error)), None).await;
    };
    match state.service.extend_import(me.caller(), import.new.id, deadline).await {
        Ok(_) => Ok(see_other(&format!("{LIST}/{}?done=import-extended", import.new.id))),
        Err(ApiFailure::Invalid(errors)) => {
            let error = errors.iter().map(|error| me.page.says(&error.detail)).collect::<Vec<_>>().join(" ");
            page(&state, &me, &import, DAYS[0], Some((typed, error)), None).await
        }
        Err(failure) => Err(failure::of(&me.page(Area::Legacy), &failure)),
    }
}

pub(crate) async fn confirm_revoke(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    Ok(removal(&state, &me, &id).await?.ask())
}

pub(crate) async fn revoke(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    if let Some(asked_again) = removal(&state, &me, &id).await?.asked_again(&fields) {
        return Ok(asked_again);
    }
    let id = find(&state, &me, &id).await?.new.id;
    state.service.revoke_import(me.caller(), id).await.map_err(me.failed())?;
    Ok(see_other(&format!("{LIST}/{id}?done=import-revoked")))
}

async fn removal(state: &AppState, me: &Me, id: &str) -> Result<Removal, Response> {
    let (page, id) = (me.page(Area::Legacy), find(state, me, id).await?.new.id);
    let (import, reach) = state.service.reach_of_import(me.caller(), id).await.map_err(me.failed())?;
    // Who would notice: those that were used last.
    let used = state.service.imported_last_used(me.caller(), id, DAYS[0], NAMED).await;
    let (grants, _): (Vec<Grant>, bool) = used.map_err(me.failed())?;
    let reach = Reached {
        tokens: reach.matched.unsigned_abs(),
        used_last_7_days: reach.used_last_7_days.unsigned_abs(),
        counted_all: true,
        owners: Some(reach.owners.unsigned_abs()),
        recent: grants.iter().filter_map(Recent::of).collect(),
    };
    Ok(Removal {
        title: page.with("revoke-import-title", "name", &import.new.source).into_owned(),
        meaning: "revoke-import-meaning",
        spared: "",
        counted_as: "tokens-ended",
        verb: "revoke",
        reach,
        list: ("legacy", LIST.to_owned()),
        action: format!("{LIST}/{id}/revoke"),
        back: format!("{LIST}/{id}"),
        objection: None,
        page,
    })
}

async fn find(state: &AppState, me: &Me, id: &str) -> Result<Import, Response> {
    let Ok(id) = id.parse::<ImportId>() else {
        return Err(failure::nothing_here(&me.page));
    };
    state.service.find_workspace_import(me.caller(), id).await.map_err(me.failed())
}

async fn page(
    state: &AppState,
    me: &Me,
    import: &Import,
    days: u32,
    refused: Option<(&str, String)>,
    done: Option<&'static str>,
) -> Answer {
    let used = state.service.imported_last_used(me.caller(), import.new.id, days, SHOWN).await;
    let (grants, more): (Vec<Grant>, bool) = used.map_err(me.failed())?;
    let now = state.service.clock.now();
    let present = import.new.deadline.to_string();
    let (deadline, error) = match refused {
        Some((typed, error)) => (typed.to_owned(), Some(error)),
        None => (present.get(..16).unwrap_or_default().to_owned(), None),
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let template = ImportPage {
        page: &me.page(Area::Legacy),
        import: ImportView::of(import, me.caller().workspace_name(), now),
        rows: grants.iter().map(|grant| Row::new(grant, now)).collect(),
        more,
        days,
        deadline,
        error,
        done,
    };
    Ok(html_with(status, &template))
}

/// What a field of date and time gives, which knows no zone: it is UTC.
fn moment(text: &str) -> Option<Moment> {
    let seconds = if text.len() == 16 { ":00Z" } else { "Z" };
    format!("{text}{seconds}").parse().ok()
}

fn status_key(import: &ImportView<'_>) -> (&'static str, &'static str) {
    match import.status {
        "open" => ("import-open", "active"),
        "complete" => ("import-complete", "active"),
        "ended" => ("import-ended", "expired"),
        "revoked" => ("status-revoked", "revoked"),
        _ => ("import-purged", "expired"),
    }
}

impl ImportsPage<'_> {
    fn status(&self, import: &ImportView<'_>) -> (&'static str, &'static str) {
        status_key(import)
    }
}

impl ImportPage<'_> {
    fn status(&self) -> (&'static str, &'static str) {
        status_key(&self.import)
    }

    /// Whether anything of it can be used, or could be again.
    fn is_live(&self) -> bool {
        !matches!(self.import.status, "revoked" | "purged")
    }

    const fn days(&self) -> [u32; 3] {
        DAYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_and_time_without_a_zone_is_utc() {
        let expected = "2027-03-01T09:30:00Z".parse::<Moment>().unwrap();
        assert_eq!(moment("2027-03-01T09:30"), Some(expected));
        assert_eq!(moment("2027-03-01T09:30:00"), Some(expected));
        for bad in ["", "tomorrow", "2027-03-01", "2027-13-01T00:00"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}

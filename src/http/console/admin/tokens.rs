//! `/console/admin/tokens`: everybody's tokens of the workspace.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;

use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::respond::html;
use crate::http::console::token_list::{self, Listing, TokenQuery};
use crate::http::console::token_overview::{self, Tab, Whose};
use crate::http::console::{done, ending, failure, pager};
use crate::http::export::Whole;
use crate::http::path::Segment;
use crate::http::tokens::acts;
use crate::http::{Answer, AppState};
use crate::service::error::ApiFailure;
use crate::service::tokens::Manager;
use crate::store::grant::GrantCursor;

#[derive(Template)]
#[template(path = "console/admin/tokens.html")]
struct AllTokensPage<'a> {
    page: &'a Page,
    list: Listing<'a>,
    policies: Vec<&'a str>,
    done: Option<&'static str>,
}

const DONE: [&str; 3] = ["token-disabled", "token-deleted", "token-revoked"];

pub(crate) async fn list(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let page = me.page(Area::AllTokens);
    let query = TokenQuery::read(&parts.uri);
    let manager = manager(&me).map_err(me.failed())?;
    let listed = state.service.list_tokens(&manager, query.filter(), query.after, token_list::PER_PAGE).await;
    let (grants, next) = listed.map_err(me.failed())?;
    let list = Listing::new(&grants, next, &query, Whose::Workspace.base(), state.service.clock.now());
    let policies = state.service.policies.iter().map(|policy| &*policy.name).collect();
    Ok(html(&AllTokensPage { page: &page, list, policies, done: done::of(&parts.uri, &DONE) }))
}

/// The whole list under the filters of the address, as a file.
pub(crate) async fn export(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let whole = match pager::value(&parts.uri, "as").as_str() {
        "csv" => Whole::Csv,
        "ndjson" => Whole::Ndjson,
        _ => return Err(failure::nothing_here(&me.page)),
    };
    let (manager, filter) = (manager(&me).map_err(me.failed())?, TokenQuery::read(&parts.uri).filter());
    acts::whole_list(&state, manager, filter, GrantCursor::START, whole).await.map_err(me.failed())
}

pub(crate) async fn show(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    overview(&state, &me, &id, Tab::Basic).await
}

pub(crate) async fn associations(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    overview(&state, &me, &id, Tab::Associations).await
}

async fn overview(state: &AppState, me: &Me, id: &str, tab: Tab) -> Answer {
    let manager = manager(me).map_err(me.failed())?;
    token_overview::show(state, me, &me.page(Area::AllTokens), &manager, Whose::Workspace, id, tab).await
}

pub(crate) async fn confirm(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let manager = manager(&me).map_err(me.failed())?;
    ending::confirm(&state, &me, &me.page(Area::AllTokens), &manager, Whose::Workspace, &fields, false).await
}

pub(crate) async fn apply(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let manager = manager(&me).map_err(me.failed())?;
    ending::apply(&state, &me, &me.page(Area::AllTokens), &manager, Whose::Workspace, &fields).await
}

pub(super) fn manager(me: &Me) -> Result<Manager, ApiFailure> {
    Manager::workspace(me.caller().clone())
}

//! `/console/tokens`: one's own tokens: the list, one of them, and the form that makes a pair.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;

use super::done;
use super::fields::Fields;
use super::gate::Me;
use super::menu::Area;
use super::page::Page;
use super::respond::html;
use super::secret_page::{self, Wanted};
use super::token_list::{self, Listing, TokenQuery};
use super::token_overview::{self, Tab, Whose};
use crate::domain::lifetime::Lifetime;
use crate::domain::policy::{AccessLifetime, Creator, Credential, Policy};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::Service;
use crate::service::tokens::Manager;

#[derive(Template)]
#[template(path = "console/tokens.html")]
struct TokensPage<'a> {
    page: &'a Page,
    list: Listing<'a>,
    done: Option<&'static str>,
    /// Whether there is a policy to make pairs under, and the user may.
    may_create: bool,
}

/// What may have been done before the list is shown.
const DONE: [&str; 4] = ["welcome", "token-disabled", "token-deleted", "token-revoked"];

pub(crate) async fn list(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let page = me.page(Area::Tokens);
    let query = TokenQuery::read(&parts.uri);
    let mut filter = query.filter();
    filter.policies = listed_policies(&state.service);
    let manager = Manager::own(me.caller().clone());
    let listed = state.service.list_tokens(&manager, filter, query.after, token_list::PER_PAGE).await;
    let (grants, next) = listed.map_err(me.failed())?;
    let list = Listing::new(&grants, next, &query, "/console/tokens", state.service.clock.now());
    let may_create = me.caller().user().tokens_allowed && !own_policies(&state.service, Credential::Pair).is_empty();
    Ok(html(&TokensPage { page: &page, list, done: done::of(&parts.uri, &DONE), may_create }))
}

pub(crate) async fn show(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    let manager = Manager::own(me.caller().clone());
    token_overview::show(&state, &me, &me.page(Area::Tokens), &manager, Whose::Own, &id, Tab::Basic).await
}

pub(crate) async fn associations(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    let manager = Manager::own(me.caller().clone());
    token_overview::show(&state, &me, &me.page(Area::Tokens), &manager, Whose::Own, &id, Tab::Associations).await
}

#[derive(Template)]
#[template(path = "console/token_new.html")]
struct NewPage<'a> {
    page: &'a Page,
    form: &'a str,
    name: &'a str,
    days: &'a str,
    scopes: &'a str,
    min_days: u32,
    max_days: u32,
    access: u32,
    error: Option<String>,
}

pub(crate) async fn new(State(state): State<AppState>, me: Me) -> Answer {
    let page = me.page(Area::Tokens);
    let Some(policy) = own_policies(&state.service, Credential::Pair).into_iter().next() else {
        return Err(super::failure::nothing_here(&page));
    };
    let days = policy.rules.default_lifetime.lifetime().map_or(90, |lifetime| lifetime.as_secs() / DAY);
    let form = state.service.new_form();
    Ok(html(&new_page(&page, policy, form.expose_secret(), ["", &days.to_string(), ""], None)))
}

pub(crate) async fn create(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let page = me.page(Area::Tokens);
    let Some(policy) = own_policies(&state.service, Credential::Pair).into_iter().next() else {
        return Err(super::failure::nothing_here(&page));
    };
    let (name, days, scopes) = (fields.text("name"), fields.text("days"), fields.text("scopes"));
    let lifetime = days.parse::<u32>().ok().and_then(|days| days.checked_mul(DAY));
    let wanted = Wanted { policy, name, lifetime, scopes, back: "/console/tokens" };
    let again = |error: String| {
        let form = state.service.new_form();
        super::respond::html_with(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            &new_page(&page, policy, form.expose_secret(), [name, days, scopes], Some(error)),
        )
    };
    secret_page::create(&state, &me, &page, &fields, &wanted, again).await
}

const DAY: u32 = 86_400;

fn new_page<'a>(
    page: &'a Page,
    policy: &Policy,
    form: &'a str,
    [name, days, scopes]: [&'a str; 3],
    error: Option<String>,
) -> NewPage<'a> {
    let max = policy.rules.max_lifetime.lifetime().map_or(u32::MAX, Lifetime::as_secs);
    let access = match policy.rules.access_lifetime {
        AccessLifetime::At(lifetime) => lifetime.as_secs(),
        AccessLifetime::Grant(_) => max,
    };
    NewPage {
        page,
        form,
        name,
        days,
        scopes,
        min_days: policy.rules.min_lifetime.as_secs().div_ceil(DAY).max(1),
        max_days: max / DAY,
        access,
        error,
    }
}

/// The policies under which people make credentials of this kind for themselves.
pub(super) fn own_policies(service: &Service, credential: Credential) -> Vec<&Policy> {
    let own = |policy: &&std::sync::Arc<Policy>| {
        policy.rules.credential == credential && policy.may_be_created_by(Creator::Owner)
    };
    service.policies.iter().filter(own).map(AsRef::as_ref).collect()
}

/// Sessions come and go with the keys and clients that open them: they are not what people look for here.
fn listed_policies(service: &Service) -> Vec<String> {
    let sessions = |policy: &Policy| policy.rules.creation.iter().all(|creator| *creator == Creator::Oauth);
    service.policies.iter().filter(|policy| !sessions(policy)).map(|policy| policy.name.to_string()).collect()
}

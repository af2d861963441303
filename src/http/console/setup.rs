//! `/console/setup`: the page that a one-time link opens, where a user sets their password.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::fields::Fields;
use super::gate::Visitor;
use super::page::Page;
use super::respond::{html, html_with, see_other, set_cookie};
use super::sign_in::user_agent;
use super::{cookie, failure};
use crate::domain::password::{BadPassword, MAX_CHARS, MIN_CHARS, Password};
use crate::http::context::Context;
use crate::http::{Answer, AppState};
use crate::service::own_password::GoodLink;

#[derive(Template)]
#[template(path = "console/setup.html")]
struct SetupPage<'a> {
    page: &'a Page,
    /// `None`: the link is not good (any more).
    username: Option<&'a str>,
    min_chars: usize,
    max_chars: usize,
    error: Option<&'static str>,
}

/// Opening the link uses nothing up: programs that look at links before people do must not spend it. The code moves from
/// the address bar into a cookie of this page.
pub(crate) async fn show(State(state): State<AppState>, visitor: Visitor, parts: Parts) -> Answer {
    let query = parts.uri.query().unwrap_or_default();
    if let Some((_, code)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code") {
        let mut response = see_other("/console/setup");
        set_cookie(&mut response, cookie::setup(&state.wire.issuer, &code));
        return Ok(response);
    }
    let link = link_of(&state, &visitor.page, &parts.headers).await?;
    let username = link.as_ref().map(|link| link.user.username.as_str());
    Ok(answer(&visitor.page, username, None))
}

pub(crate) async fn set(
    State(state): State<AppState>,
    visitor: Visitor,
    Context(context): Context,
    headers: HeaderMap,
    fields: Fields,
) -> Answer {
    let page = &visitor.page;
    let Some(link) = link_of(&state, page, &headers).await? else {
        return Ok(answer(page, None, None));
    };
    let username = link.user.username.clone();
    let password = match chosen(&fields) {
        Ok(password) => password,
        Err(error) => return Ok(answer(page, Some(&username), Some(error))),
    };
    let set = state.service.set_password_by_link(link, password, user_agent(&headers), &context).await;
    let Some(secret) = set.map_err(|failure| failure::of(page, &failure))? else {
        return Ok(answer(page, None, None));
    };
    let mut response = see_other("/console/tokens?done=welcome");
    set_cookie(&mut response, cookie::session(&state.wire.issuer, &secret));
    set_cookie(&mut response, cookie::no_setup(&state.wire.issuer));
    Ok(response)
}

async fn link_of(state: &AppState, page: &Page, headers: &HeaderMap) -> Result<Option<GoodLink>, Response> {
    let Some(code) = cookie::read(headers, cookie::SETUP) else {
        return Ok(None);
    };
    state.service.find_link(code).await.map_err(|failure| failure::of(page, &failure))
}

/// A new password, typed twice.
pub(super) fn chosen(fields: &Fields) -> Result<Password, &'static str> {
    let (password, again) = (fields.secret("new-password"), fields.secret("new-password-again"));
    if password.expose_secret() != again.expose_secret() {
        return Err("password-differs");
    }
    Password::choose(password).map_err(|bad| match bad {
        BadPassword::TooShort => "password-too-short",
        BadPassword::TooLong => "password-too-long",
        BadPassword::TooEven => "password-too-even",
    })
}

fn answer(page: &Page, username: Option<&str>, error: Option<&'static str>) -> Response {
    let template = SetupPage { page, username, min_chars: MIN_CHARS, max_chars: MAX_CHARS, error };
    match (username, error) {
        (Some(_), None) => html(&template),
        (Some(_), Some(_)) => html_with(StatusCode::UNPROCESSABLE_ENTITY, &template),
        (None, _) => html_with(StatusCode::GONE, &template),
    }
}

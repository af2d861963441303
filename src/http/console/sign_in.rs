//! `/console/sign-in` and `/console/sign-out`.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::fields::Fields;
use super::gate::{Me, Visitor, session_of};
use super::page::Page;
use super::respond::{html, html_with, is_own_path, see_other, set_cookie};
use super::{cookie, failure, query_value};
use crate::http::context::Context;
use crate::http::{Answer, AppState};
use crate::service::sign_in::{SignIn, SignInFailure};

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignInPage<'a> {
    page: &'a Page,
    username: &'a str,
    workspace: &'a str,
    next: &'a str,
    refused: bool,
    wait_s: Option<u32>,
    /// Told after signing out.
    signed_out: bool,
    /// What people call the provider that they may sign in by.
    provider: Option<&'a str>,
    passwords: bool,
}

/// Where to go after signing in, unless a page was asked for before.
pub(super) const START: &str = "/console";

/// `/console`: the page of one's own tokens is what people come for.
pub(crate) async fn start(_: Me) -> axum::response::Response {
    see_other("/console/tokens")
}

pub(crate) async fn show(State(state): State<AppState>, visitor: Visitor, parts: Parts) -> Answer {
    let page = &visitor.page;
    let value = |name: &str| query_value(&parts.uri, name);
    let next = value("next").filter(|next| is_own_path(next)).unwrap_or_default();
    // Already in: no second form.
    match session_of(&parts, &state).await {
        Ok(Some(_)) => return Ok(see_other(if next.is_empty() { START } else { &next })),
        Ok(None) => {}
        Err(failure) => return Err(failure::of(page, &failure)),
    }
    let signed_out = value("signed-out").is_some();
    Ok(html(&SignInPage { signed_out, ..SignInPage::new(page, &state, &next) }))
}

impl<'a> SignInPage<'a> {
    fn new(page: &'a Page, state: &'a AppState, next: &'a str) -> Self {
        Self {
            page,
            username: "",
            workspace: "",
            next,
            refused: false,
            wait_s: None,
            signed_out: false,
            provider: state.service.oidc.as_ref().map(|provider| provider.settings().label.as_str()),
            passwords: state.service.settings.console.passwords,
        }
    }

    /// Where signing in by the provider begins.
    fn provider_link(&self) -> String {
        if self.next.is_empty() {
            return "/console/sign-in/oidc".to_owned();
        }
        let next: String = form_urlencoded::byte_serialize(self.next.as_bytes()).collect();
        format!("/console/sign-in/oidc?next={next}")
    }
}

pub(crate) async fn sign_in(
    State(state): State<AppState>,
    visitor: Visitor,
    Context(context): Context,
    headers: HeaderMap,
    fields: Fields,
) -> Answer {
    let page = &visitor.page;
    let (username, workspace) = (fields.text("username"), fields.text("workspace"));
    let next = Some(fields.text("next")).filter(|next| is_own_path(next)).unwrap_or_default();
    let request = SignIn {
        username: username.to_owned(),
        workspace: workspace.to_owned(),
        password: fields.secret("password"),
        user_agent: user_agent(&headers),
    };
    let form = SignInPage { username, workspace, ..SignInPage::new(page, &state, next) };
    match state.service.sign_in(request, &context).await {
        Ok(secret) => {
            let mut response = see_other(if next.is_empty() { START } else { next });
            set_cookie(&mut response, cookie::session(&state.wire.issuer, &secret));
            Ok(response)
        }
        Err(SignInFailure::Refused) => {
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, &SignInPage { refused: true, ..form }))
        }
        Err(SignInFailure::Off) => Err(failure::no_passwords(page)),
        Err(SignInFailure::Throttled(throttled)) => {
            let wait_s = Some(throttled.retry_after_s);
            let mut response = html_with(StatusCode::TOO_MANY_REQUESTS, &SignInPage { wait_s, ..form });
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(throttled.retry_after_s));
            Ok(response)
        }
        Err(SignInFailure::Failed(failure)) => Err(failure::of(page, &failure)),
    }
}

pub(crate) async fn sign_out(State(state): State<AppState>, me: Me) -> Answer {
    state.service.end_session(me.caller(), me.session().id).await.map_err(me.failed())?;
    let mut response = see_other("/console/sign-in?signed-out");
    set_cookie(&mut response, cookie::no_session(&state.wire.issuer));
    // Nothing of what was seen stays behind on a shared computer.
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(response)
}

pub(super) fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned)
}

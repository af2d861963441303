//! `/console/account`: one's password, and where one is signed in.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::fields::Fields;
use super::gate::Me;
use super::menu::Area;
use super::page::Page;
use super::respond::{html, html_with, see_other};
use super::{done, failure, setup};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ConsoleSessionId;
use crate::domain::password::{MAX_CHARS, MIN_CHARS};
use crate::http::{Answer, AppState};
use crate::service::sign_in::SignInFailure;
use crate::store::console_session::ConsoleSession;

#[derive(Template)]
#[template(path = "console/account.html")]
struct AccountPage<'a> {
    page: &'a Page,
    username: &'a str,
    role: &'static str,
    sessions: &'a [ConsoleSession],
    current: ConsoleSessionId,
    done: Option<&'static str>,
    min_chars: usize,
    max_chars: usize,
    error: Option<&'static str>,
    passwords: bool,
    /// What people call the provider, and since when this user is known to it.
    identity: Option<(&'a str, Timestamp)>,
}

/// What may have been done before the page is shown.
const DONE: [&str; 3] = ["password-changed", "session-ended", "sessions-ended"];

pub(crate) async fn show(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    page(&state, &me, done::of(&parts.uri, &DONE), None).await
}

pub(crate) async fn change_password(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let new = match setup::chosen(&fields) {
        Ok(new) => new,
        Err(error) => return page(&state, &me, None, Some(error)).await,
    };
    let old = fields.secret("old-password");
    match state.service.change_password(me.caller(), me.session().id, old, new).await {
        Ok(()) => Ok(see_other("/console/account?done=password-changed")),
        Err(SignInFailure::Off) => Err(failure::no_passwords(&me.page)),
        Err(SignInFailure::Refused) => page(&state, &me, None, Some("old-password-wrong")).await,
        Err(SignInFailure::Throttled(_)) => page(&state, &me, None, Some("old-password-throttled")).await,
        Err(SignInFailure::Failed(failure)) => Err(failure::of(&me.page, &failure)),
    }
}

/// Ends one session, or all but this one.
pub(crate) async fn end_sessions(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    if fields.text("which") == "others" {
        state.service.end_other_sessions(me.caller(), me.session().id).await.map_err(me.failed())?;
        return Ok(see_other("/console/account?done=sessions-ended"));
    }
    let Ok(id) = fields.text("which").parse() else {
        return Err(failure::expired_form(&me.page));
    };
    state.service.end_session(me.caller(), id).await.map_err(me.failed())?;
    Ok(see_other("/console/account?done=session-ended"))
}

async fn page(
    state: &AppState,
    me: &Me,
    done: Option<&'static str>,
    error: Option<&'static str>,
) -> Result<Response, Response> {
    let sessions = state.service.list_sessions(me.caller()).await.map_err(me.failed())?;
    let user = me.caller().user();
    let provider = state.service.oidc.as_ref().map(|provider| provider.settings().label.as_str());
    let template = AccountPage {
        page: &me.page(Area::Account),
        username: &user.username,
        role: user.role.as_str(),
        sessions: &sessions,
        current: me.session().id,
        done,
        min_chars: MIN_CHARS,
        max_chars: MAX_CHARS,
        error,
        passwords: state.service.settings.console.passwords,
        identity: provider.zip(user.identity.as_ref().map(|linked| linked.linked_at)),
    };
    Ok(if error.is_some() { html_with(StatusCode::UNPROCESSABLE_ENTITY, &template) } else { html(&template) })
}

impl AccountPage<'_> {
    /// The browser and system of a session, as far as its user agent tells.
    fn device(&self, session: &ConsoleSession) -> String {
        session.user_agent.as_deref().map_or_else(|| self.page.t("device-unknown").into_owned(), device)
    }
}

/// A user agent in two words. What is not recognized is shown as it came.
fn device(agent: &str) -> String {
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name);
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = find(&[
        ("Windows", "Windows"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => agent.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_browser_and_system() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        assert_eq!(device(chrome), "Chrome · Linux");
        assert_eq!(device("curl/8.5"), "curl");
        assert_eq!(device("<b>x</b>"), "<b>x</b>");
    }
}

//! What a page says instead, when it can't show what was asked for. In the frame of every other page.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::gate::{self, Visitor};
use super::page::{Page, Who};
use super::respond;
use crate::http::AppState;
use crate::service::error::{ApiFailure, FieldError};

#[derive(Template)]
#[template(path = "console/failure.html")]
struct FailurePage<'a> {
    page: &'a Page,
    status: u16,
    title: &'static str,
    text: &'static str,
    /// What exactly can't be accepted.
    errors: &'a [FieldError],
    detail: &'a str,
    /// Signed out: the way back in.
    signs_in: bool,
}

/// Any path of the console that no page has.
pub(crate) async fn not_found(State(state): State<AppState>, visitor: Visitor, parts: Parts) -> Response {
    let mut page = visitor.page;
    // Who it is decides about the menu only: without an answer of the database, the page does without.
    if let Ok(Some(signed_in)) = gate::session_of(&parts, &state).await {
        page.who = Some(Who::of(&signed_in.caller));
    }
    nothing_here(&page)
}

pub(super) fn nothing_here(page: &Page) -> Response {
    plain(page, StatusCode::NOT_FOUND, "error-not-found", "error-not-found-text")
}

pub(super) fn forbidden(page: &Page) -> Response {
    plain(page, StatusCode::FORBIDDEN, "error-forbidden", "error-forbidden-text")
}

/// A form from another site.
pub(super) fn other_site(page: &Page) -> Response {
    plain(page, StatusCode::FORBIDDEN, "error-other-site", "error-other-site-text")
}

/// A form that can't be taken any more, or that no page of ours has sent.
pub(super) fn expired_form(page: &Page) -> Response {
    plain(page, StatusCode::BAD_REQUEST, "error-form", "error-form-text")
}

/// A form that makes a secret, sent again: by a reload, or by the back button and another click.
pub(super) fn sent_before(page: &Page) -> Response {
    plain(page, StatusCode::CONFLICT, "error-sent-before", "error-sent-before-text")
}

pub(super) fn session_ended(page: &Page) -> Response {
    let page = &FailurePage {
        page,
        status: StatusCode::UNAUTHORIZED.as_u16(),
        title: "error-session",
        text: "error-session-text",
        errors: &[],
        detail: "",
        signs_in: true,
    };
    respond::html_with(StatusCode::UNAUTHORIZED, page)
}

/// Why somebody is not signed in, with the way back to the sign-in page.
pub(super) struct Notice {
    pub status: StatusCode,
    pub title: &'static str,
    pub text: &'static str,
}

pub(super) fn sign_in(page: &Page, notice: &Notice) -> Response {
    let Notice { status, title, text } = *notice;
    let template = FailurePage { page, status: status.as_u16(), title, text, errors: &[], detail: "", signs_in: true };
    respond::html_with(status, &template)
}

/// Passwords are not taken here.
pub(super) fn no_passwords(page: &Page) -> Response {
    let (title, text) = ("error-no-passwords", "error-no-passwords-text");
    sign_in(page, &Notice { status: StatusCode::FORBIDDEN, title, text })
}

/// The page of a use case that failed. Logs what the operator must know.
pub(super) fn of(page: &Page, failure: &ApiFailure) -> Response {
    let (detail, said);
    detail = failure.to_string();
    let (status, title, text, errors, detail): (_, _, _, &[FieldError], &str) = match failure {
        ApiFailure::Invalid(errors) => (StatusCode::BAD_REQUEST, "error-invalid", "error-invalid-text", errors, ""),
        ApiFailure::Forbidden(_) => (StatusCode::FORBIDDEN, "error-forbidden", "error-forbidden-text", &[], &detail),
        ApiFailure::NotFound(_) => (StatusCode::NOT_FOUND, "error-not-found", "error-not-found-text", &[], ""),
        ApiFailure::Store(error) => {
            tracing::warn!(error = ?error, "the database could not serve a page");
            (StatusCode::SERVICE_UNAVAILABLE, "error-unavailable", "error-unavailable-text", &[], "")
        }
        ApiFailure::Password(error) => {
            tracing::warn!(error = ?error, "a password could not be hashed or checked");
            (StatusCode::SERVICE_UNAVAILABLE, "error-unavailable", "error-unavailable-text", &[], "")
        }
        // Whatever else a use case refuses has to do with the state that things are in.
        ApiFailure::Conflict(why) => {
            said = page.says(why);
            (StatusCode::CONFLICT, "error-conflict", "error-conflict-text", &[], &said)
        }
        _ => (StatusCode::CONFLICT, "error-conflict", "error-conflict-text", &[], &detail),
    };
    let template = FailurePage { page, status: status.as_u16(), title, text, errors, detail, signs_in: false };
    let mut response = respond::html_with(status, &template);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    }
    response
}

fn plain(page: &Page, status: StatusCode, title: &'static str, text: &'static str) -> Response {
    let template = FailurePage { page, status: status.as_u16(), title, text, errors: &[], detail: "", signs_in: false };
    respond::html_with(status, &template)
}

//! `/console/sign-in/oidc` and its callback: to the provider and back.

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::failure::{self, Notice};
use super::gate::{Visitor, session_of};
use super::page::Page;
use super::respond::{is_own_path, see_other, set_cookie};
use super::sign_in::{START, user_agent};
use super::{cookie, query_value};
use crate::domain::secret::Secret;
use crate::http::context::Context;
use crate::http::{Answer, AppState};
use crate::service::oidc::{Callback, NoAccount, OidcFailure, ProviderFailure};

/// Sends the browser to the provider. A link, not a form: the policy of these pages lets no form lead elsewhere.
pub(crate) async fn begin(
    State(state): State<AppState>,
    visitor: Visitor,
    Context(context): Context,
    parts: Parts,
) -> Answer {
    let page = &visitor.page;
    let next = query_value(&parts.uri, "next").filter(|next| is_own_path(next)).unwrap_or_default();
    // Another site must not sign anybody in: from there it takes one's own click.
    if parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site") {
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        return Ok(see_other(&format!("/console/sign-in?next={next}")));
    }
    if session_of(&parts, &state).await.map_err(|failure| failure::of(page, &failure))?.is_some() {
        return Ok(see_other(if next.is_empty() { START } else { &next }));
    }
    let begun = state.service.begin_oidc(&next, &context).await.map_err(|failure| refused(page, &failure))?;
    let mut response = see_other(&begun.url);
    set_cookie(&mut response, cookie::attempt(&state.wire.issuer, &begun.cookie));
    Ok(response)
}

/// Where the provider sends the browser back to.
pub(crate) async fn callback(
    State(state): State<AppState>,
    visitor: Visitor,
    Context(context): Context,
    parts: Parts,
) -> Answer {
    // What the provider has put into the address is on no page, and no switch of language comes back to it.
    let page = &Page { path: "/console/sign-in".to_owned(), ..visitor.page };
    let Some(callback) = read(&parts) else {
        return Err(refused(page, &OidcFailure::NotBegun));
    };
    let carried = cookie::read(&parts.headers, cookie::attempt_name(&state.wire.issuer)).unwrap_or_default();
    let finished = state.service.finish_oidc(callback, carried, user_agent(&parts.headers), &context).await;
    let mut response = match &finished {
        Ok((_, next)) => see_other(if is_own_path(next) { next } else { START }),
        Err(failure) => refused(page, failure),
    };
    if let Ok((session, _)) = &finished {
        set_cookie(&mut response, cookie::session(&state.wire.issuer, session));
    }
    // An attempt counts once; but who only guesses at a state must not end somebody's.
    if !matches!(finished, Err(OidcFailure::NotBegun | OidcFailure::Off)) {
        set_cookie(&mut response, cookie::no_attempt(&state.wire.issuer));
    }
    Ok(response)
}

/// `None` where a parameter stands twice (RFC 6749 §3.1).
fn read(parts: &Parts) -> Option<Callback> {
    let mut callback = Callback::default();
    let (mut state, mut code) = (None, None);
    for (name, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
        let before = match &*name {
            "state" => state.replace(value.into_owned()).is_some(),
            "code" => code.replace(Secret::new(value.into_owned())).is_some(),
            "iss" => callback.issuer.replace(value.into_owned()).is_some(),
            "error" => callback.error.replace(value.into_owned()).is_some(),
            _ => false,
        };
        if before {
            return None;
        }
    }
    Some(Callback { state: state?, code, ..callback })
}

/// The page of a sign-in that has come to nothing. What exactly was wrong is for the operator's log.
fn refused(page: &Page, failure: &OidcFailure) -> Response {
    if let OidcFailure::Provider(_) | OidcFailure::NotBelieved(_) = failure {
        tracing::warn!(%failure, "nobody can sign in by the provider");
    }
    let notice = |status, title, text| failure::sign_in(page, &Notice { status, title, text });
    match failure {
        OidcFailure::Off => failure::nothing_here(page),
        OidcFailure::NotBegun | OidcFailure::Provider(ProviderFailure::Code) => {
            notice(StatusCode::BAD_REQUEST, "sso-not-begun", "sso-not-begun-text")
        }
        OidcFailure::Denied => notice(StatusCode::FORBIDDEN, "sso-denied", "sso-denied-text"),
        OidcFailure::Provider(ProviderFailure::Unreachable(_)) => {
            let response = notice(StatusCode::SERVICE_UNAVAILABLE, "sso-unreachable", "sso-unreachable-text");
            retry_after(response, 5)
        }
        OidcFailure::Provider(ProviderFailure::Answer(_)) | OidcFailure::NotBelieved(_) => {
            notice(StatusCode::BAD_GATEWAY, "sso-not-believed", "sso-not-believed-text")
        }
        OidcFailure::NoAccount(reason) => {
            let text = match reason {
                NoAccount::Unknown => "sso-no-account-text",
                NoAccount::Several => "sso-several-text",
                NoAccount::SomebodyElse => "sso-somebody-else-text",
                NoAccount::NameTaken => "sso-name-taken-text",
            };
            notice(StatusCode::FORBIDDEN, "sso-no-account", text)
        }
        OidcFailure::Throttled(throttled) => {
            let response = notice(StatusCode::TOO_MANY_REQUESTS, "sso-throttled", "sso-throttled-text");
            retry_after(response, throttled.retry_after_s)
        }
        OidcFailure::Failed(failure) => failure::of(page, failure),
    }
}

fn retry_after(mut response: Response, seconds: u32) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

//! Who may see a page. A layer of the table finds the session and puts it into the request; a page without that layer
//! lets nobody in.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use tower::{Layer as _, ServiceExt as _};
use tower_http::csrf::ProtectionError;

use super::menu::Area;
use super::page::{Page, Who};
use super::{cookie, failure, respond};
use crate::http::context::RequestInfo;
use crate::http::{AppState, context, problem};
use crate::service::caller::Caller;
use crate::service::error::ApiFailure;
use crate::service::sign_in::SignedIn;
use crate::store::console_session::ConsoleSession;
use crate::store::user::Role;

/// Somebody with a browser, signed in or not.
pub(crate) struct Visitor {
    pub(super) page: Page,
}

/// A signed-in user, with the frame of their page.
pub(crate) struct Me {
    pub(super) page: Page,
    signed_in: Arc<SignedIn>,
}

impl Me {
    pub(super) fn caller(&self) -> &Caller {
        &self.signed_in.caller
    }

    pub(super) fn session(&self) -> &ConsoleSession {
        &self.signed_in.session
    }

    /// The frame of a page in this part of the menu.
    pub(super) fn page(&self, area: Area) -> Page {
        self.page.clone().at(area)
    }

    /// The page of a use case that failed.
    pub(super) fn failed(&self) -> impl FnOnce(ApiFailure) -> Response + '_ {
        |failure| failure::of(&self.page, &failure)
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Self::Rejection> {
        let mut page = page_of(parts);
        page.who = parts.extensions.get::<Arc<SignedIn>>().map(|signed_in| Who::of(&signed_in.caller));
        Ok(Self { page })
    }
}

impl FromRequestParts<AppState> for Me {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Response> {
        let mut page = page_of(parts);
        let Some(signed_in) = parts.extensions.get::<Arc<SignedIn>>().cloned() else {
            return Err(failure::forbidden(&page));
        };
        page.who = Some(Who::of(&signed_in.caller));
        Ok(Self { page: page.at(Area::of(parts.uri.path())), signed_in })
    }
}

pub(super) fn page_of(parts: &Parts) -> Page {
    // A form's own address shows nothing when it is only looked at.
    let shown = parts.uri.path_and_query().filter(|_| matches!(parts.method, Method::GET | Method::HEAD));
    let path = shown.map_or("/console", |path| path.as_str());
    Page::new(&parts.headers, path.to_owned())
}

/// The session of a request, if its cookie names a live one.
pub(in crate::http) async fn session_of(parts: &Parts, state: &AppState) -> Result<Option<SignedIn>, ApiFailure> {
    let Some(value) = cookie::read(&parts.headers, cookie::session_name(&state.wire.issuer)) else {
        return Ok(None);
    };
    Ok(state.service.find_session(value, context::of(parts, state)).await?)
}

/// The layer of pages for everybody who is signed in.
pub(in crate::http) async fn member(State(state): State<AppState>, request: Request, next: Next) -> Response {
    admit(&state, request, next, Role::Member).await
}

/// The layer of pages for administrators.
pub(in crate::http) async fn admin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    admit(&state, request, next, Role::Admin).await
}

async fn admit(state: &AppState, request: Request, next: Next, at_least: Role) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut page = page_of(&parts);
    let signed_in = match session_of(&parts, state).await {
        Ok(Some(signed_in)) => signed_in,
        Ok(None) if matches!(parts.method, Method::GET | Method::HEAD) => {
            let next: String = form_urlencoded::byte_serialize(page.path.as_bytes()).collect();
            return respond::see_other(&format!("/console/sign-in?next={next}"));
        }
        // What was in the form is not done, and not remembered.
        Ok(None) => return failure::session_ended(&page),
        Err(failure) => return failure::of(&page, &failure),
    };
    page.who = Some(Who::of(&signed_in.caller));
    if signed_in.caller.user().role < at_least {
        return failure::forbidden(&page);
    }
    parts.extensions.insert(Arc::new(signed_in));
    next.run(Request::from_parts(parts, body)).await
}

/// The layer of REST routes that a signed-in user's browser may call too. A credential in a header is what a caller
/// means; a cookie comes along by itself, so that it counts only for requests of this site.
pub(in crate::http) async fn rest(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if !matches!(jeton_guard::credential(&parts.headers, parts.uri.query()), Ok(None)) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let info = parts.extensions.get::<RequestInfo>().cloned();
    match session_of(&parts, &state).await {
        Ok(Some(signed_in)) => parts.extensions.insert(Arc::new(signed_in)),
        Ok(None) => return next.run(Request::from_parts(parts, body)).await,
        Err(failure) => return problem::failure(&failure, info.as_ref()),
    };
    let protected = super::same_site(&state.wire.issuer).layer(next);
    let response = match protected.oneshot(Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if response.extensions().get::<ProtectionError>().is_none() {
        return response;
    }
    problem::respond(
        problem::FORBIDDEN,
        info.as_ref(),
        "a session counts for requests of the console's own site only",
        &[],
    )
}

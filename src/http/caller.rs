//! The signed-in user of a request, as a handler's argument: member or administrator.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;

use super::context::{self, RequestInfo};
use super::{AppState, problem};
use crate::service::caller::Caller;
use crate::service::error::ApiFailure;
use crate::service::validate::Validated;
use crate::store::user::Role;

/// A user, with whatever role.
pub(super) struct Member(pub Caller);

/// A user with the role admin.
pub(super) struct Admin(pub Caller);

impl FromRequestParts<AppState> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        caller(parts, state, Role::Member).await.map(Self)
    }
}

impl FromRequestParts<AppState> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        caller(parts, state, Role::Admin).await.map(Self)
    }
}

/// The bearer middleware has put the validated token into the request; a route without it lets nobody in.
async fn caller(parts: &Parts, state: &AppState, at_least: Role) -> Result<Caller, Response> {
    let caller = match parts.extensions.get::<Validated>() {
        Some(validated) => state.service.caller(validated, at_least, context::of(parts, state)).await,
        None => Err(ApiFailure::Forbidden("this needs a token of a user")),
    };
    caller.map_err(|failure| problem::failure(&failure, parts.extensions.get::<RequestInfo>()))
}

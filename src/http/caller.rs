//! The signed-in user of a request, as a handler's argument: member or administrator.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;

use super::context::{self, RequestInfo};
use super::{AppState, problem, refusals};
use crate::service::caller::{self, Caller};
use crate::service::error::ApiFailure;
use crate::service::sign_in::SignedIn;
use crate::service::validate::Validated;
use crate::store::user::Role;

/// A user, with whatever role.
pub(super) struct Member(pub Caller);

/// A user with the role admin.
pub(super) struct Admin(pub Caller);

/// A user with the role operator.
pub(super) struct Operator(pub caller::Operator);

impl FromRequestParts<AppState> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let caller = signed_in(parts, state, Role::Operator).await?;
        let operator = caller.into_operator();
        operator.map(Self).map_err(|failure| problem::failure(&failure, parts.extensions.get::<RequestInfo>()))
    }
}

impl FromRequestParts<AppState> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        signed_in(parts, state, Role::Member).await.map(Self)
    }
}

impl FromRequestParts<AppState> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        signed_in(parts, state, Role::Admin).await.map(Self)
    }
}

/// The bearer middleware has put the validated token into the request; a route without it lets nobody in.
async fn signed_in(parts: &Parts, state: &AppState, at_least: Role) -> Result<Caller, Response> {
    let caller = match parts.extensions.get::<Validated>() {
        Some(validated) => state.service.caller(validated, at_least, context::of(parts, state)).await,
        None => match parts.extensions.get::<Arc<SignedIn>>() {
            Some(signed_in) if signed_in.caller.user().role >= at_least => Ok(signed_in.caller.clone()),
            _ => Err(ApiFailure::Forbidden("this needs a token of a user")),
        },
    };
    caller.map_err(|failure| {
        refusals::note_failure(state, &failure, parts);
        problem::failure(&failure, parts.extensions.get::<RequestInfo>())
    })
}

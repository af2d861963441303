//! Owns the axum extractor for the token that a guard has left (feature `axum`).

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::validator::TokenView;

/// The valid token that the guard before a handler has left, as an argument of the handler.
///
/// ```
/// use axum::{Router, routing::get};
/// use jeton_guard::testing::TestTokens;
/// use jeton_guard::{Challenge, GuardLayer, Introspection, Valid};
///
/// async fn greet(Valid(token): Valid<Introspection>) -> String {
///     format!("Hello {}", token.sub.unwrap_or_default())
/// }
///
/// let app: Router = Router::new()
///     .route("/", get(greet))
///     .layer(GuardLayer::new(TestTokens::new(), Challenge::new("orders")));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Valid<T>(
    /// The token, a [`Validator::Token`](crate::Validator::Token).
    pub T,
);

impl<T, S> FromRequestParts<S> for Valid<T>
where
    T: TokenView + Clone + Send + Sync + 'static,
    S: Send + Sync,
{
    type Rejection = NoGuard;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoGuard> {
        parts.extensions.get::<T>().cloned().map(Self).ok_or(NoGuard)
    }
}

/// No guard with tokens of that type stands before the handler. That is a mistake of the service, so the answer is a 500,
/// and nobody is let in.
///
/// ```
/// use axum::response::IntoResponse;
///
/// assert_eq!(jeton_guard::NoGuard.into_response().status(), 500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoGuard;

impl IntoResponse for NoGuard {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

//! A tower middleware that accepts or refuses bearer tokens as RFC 6750 says.
//!
//! A [`GuardLayer`] stands in front of a service. For each request it reads the one [`credential()`], asks a [`Validator`] whether
//! the token is good, checks that it covers the [`Requirement`], and leaves it in the request's extensions for the service.
//! Every other request gets a [`Refusal`], which a [`Responder`] turns into a response:
//!
//! | case | refusal | status | error |
//! |---|---|---|---|
//! | nothing presented | [`Missing`](Refusal::Missing) | 401 | none |
//! | two credentials, a malformed header, a token in the query | [`Malformed`](Refusal::Malformed) | 400 | `invalid_request` |
//! | unknown, forged, expired, revoked, disabled, of another workspace | [`InvalidToken`](Refusal::InvalidToken) | 401 | `invalid_token` |
//! | a scope, API or plan does not cover it | [`InsufficientScope`](Refusal::InsufficientScope) | 403 | `insufficient_scope` |
//! | the plan's limit is used up | [`LimitExceeded`](Refusal::LimitExceeded) | 429 | `rate_limited` |
//! | the store can't answer | [`Unavailable`](Refusal::Unavailable) | 503 | `temporarily_unavailable` |
//!
//! Where tokens are looked up is the validator's affair, so the crate needs no runtime, no HTTP client and no web framework.
//! [`Introspection`] is the answer of a Jeton server to one that asks there (RFC 7662).
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `axum` | the extractor `Valid`, which gives the token to a handler |
//! | `remote` | `remote::RemoteValidator`, which asks a Jeton server over HTTP and remembers the answers as long as it may |
//! | `testing` | `testing::TestTokens`, a double of the token service for the tests of yours |
//!
//! # Example
//!
//! A validator that knows one token, in front of a service that greets its owner:
//!
//! ```
//! use std::convert::Infallible;
//! use std::future::{Ready, ready};
//!
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode, header::{AUTHORIZATION, WWW_AUTHENTICATE}};
//! use http_body_util::Full;
//! use jeton_guard::{
//!     Challenge, GuardLayer, Inactive, Outcome, Requirement, TokenView, Validator,
//! };
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! /// What the service wants to know of a valid token.
//! #[derive(Clone)]
//! struct Token {
//!     owner: String,
//!     scopes: Vec<String>,
//! }
//!
//! impl TokenView for Token {
//!     fn has_scope(&self, scope: &str) -> bool {
//!         self.scopes.iter().any(|held| held == scope)
//!     }
//!     fn covers_api(&self, api: &str) -> bool {
//!         api == "orders"
//!     }
//!     fn workspace(&self) -> &str {
//!         "acme"
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct OneToken;
//!
//! impl Validator for OneToken {
//!     type Token = Token;
//!     type Future = Ready<Outcome<Token>>;
//!
//!     fn validate(&self, token: &str) -> Self::Future {
//!         ready(match token {
//!             // A real validator compares digests, and never a secret byte by byte.
//!             "2YotnFZFEjr1zCsicMWpAA" => Outcome::Active(Token {
//!                 owner: "ada".to_owned(),
//!                 scopes: vec!["orders:read".to_owned()],
//!             }),
//!             _ => Outcome::Inactive(Inactive::Unproven),
//!         })
//!     }
//! }
//!
//! async fn greet(request: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     let token = request.extensions().get::<Token>().expect("the guard has left it");
//!     Ok(Response::new(Full::from(format!("Hello {}", token.owner))))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = ServiceBuilder::new()
//!     .layer(
//!         GuardLayer::new(OneToken, Challenge::new("orders"))
//!             .require(Requirement::none().scope("orders:read").api("orders")),
//!     )
//!     .service(service_fn(greet));
//!
//! let request = Request::get("/")
//!     .header(AUTHORIZATION, "Bearer 2YotnFZFEjr1zCsicMWpAA")
//!     .body(())?;
//! let response = service.clone().oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//!
//! let request = Request::get("/").body(())?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(response.headers()[WWW_AUTHENTICATE], r#"Bearer realm="orders""#);
//! # Ok(())
//! # }
//! ```

mod challenge;
mod credential;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod introspection;
mod layer;
mod limits;
mod query;
mod refusal;
#[cfg(feature = "remote")]
pub mod remote;
mod requirement;
mod responder;
mod service;
#[cfg(feature = "testing")]
pub mod testing;
mod validator;

pub use challenge::Challenge;
pub use credential::{MAX_TOKEN_BYTES, Malformed, Presented, Via, credential};
#[cfg(feature = "axum")]
pub use extract::{NoGuard, Valid};
pub use future::GuardFuture;
pub use introspection::Introspection;
pub use layer::GuardLayer;
pub use limits::{Limit, Limits};
pub use refusal::Refusal;
pub use requirement::Requirement;
pub use responder::{JsonResponder, Responder};
pub use service::Guard;
pub use validator::{Inactive, Outcome, TokenView, Unavailable, Validator};

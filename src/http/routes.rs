//! The table of everything that is served: method, path, who may call it, handler.

use axum::Router;
use axum::extract::FromRequestParts;
use axum::handler::Handler;
use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::bearer::{OAuthResponder, ProblemResponder};
use super::context::RequestInfo;
use super::refresh::BearerLayer;
use super::{AppState, admin, api, management, oauth, problem};

/// Who may call a route, and how they prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: metadata.
    Public,
    /// An OAuth client; the handler authenticates it before anything else.
    Client,
    /// The holder of the token that the request is about. Refusals are OAuth errors.
    Bearer,
    /// The token is the subject of the question; the handler judges it.
    Presented,
    /// A user, by a token of their own. Refusals are problem details.
    User,
    /// A user with the role admin.
    Admin,
    /// Whoever reaches the management listener.
    Network,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Route {
    /// `None`: any method.
    pub method: Option<Method>,
    pub path: &'static str,
    pub access: Access,
    handler: MethodRouter<AppState>,
}

/// What the public listener serves.
#[must_use]
pub fn public() -> Vec<Route> {
    use Access::{Admin, Bearer, Client, Presented, Public, User};
    vec![
        route(Method::GET, "/oauth20/access-token", Bearer, oauth::access_token::show),
        route(Method::DELETE, "/oauth20/access-token", Bearer, oauth::access_token::end),
        route(Method::GET, "/oauth20/access-tokens", Bearer, oauth::access_token::show),
        route(Method::DELETE, "/oauth20/access-tokens", Bearer, oauth::access_token::end),
        route(Method::POST, "/oauth20/token", Client, oauth::token::issue),
        route(Method::POST, "/oauth20/revoke", Client, oauth::revoke::revoke),
        route(Method::POST, "/oauth20/introspect", Client, oauth::introspect::introspect),
        any("/oauth20/verify", Presented, oauth::verify::verify),
        any("/oauth20/verify/", Presented, oauth::verify::verify),
        any("/oauth20/verify/{*path}", Presented, oauth::verify::verify),
        route(Method::GET, "/.well-known/oauth-authorization-server", Public, oauth::metadata::authorization_server),
        route(Method::GET, "/.well-known/oauth-protected-resource", Public, oauth::metadata::protected_resource),
        route(Method::GET, "/api/v1/me", User, api::me::show),
        route(Method::POST, "/api/v1/tokens", User, api::tokens::create),
        route(Method::GET, "/api/v1/tokens", User, api::tokens::list),
        route(Method::POST, "/api/v1/tokens/revoke-all", User, api::tokens::revoke_all),
        route(Method::GET, "/api/v1/tokens/{id}", User, api::tokens::show),
        route(Method::POST, "/api/v1/tokens/{id}/revoke", User, api::tokens::revoke),
        route(Method::POST, "/admin/v1/clients", Admin, admin::clients::create),
        route(Method::GET, "/admin/v1/clients", Admin, admin::clients::list),
        route(Method::GET, "/admin/v1/clients/{client_id}", Admin, admin::clients::show),
        route(Method::DELETE, "/admin/v1/clients/{client_id}", Admin, admin::clients::delete),
        route(Method::PATCH, "/admin/v1/clients/{client_id}", Admin, admin::clients::edit),
        route(Method::POST, "/admin/v1/clients/{client_id}/rotate-secret", Admin, admin::clients::rotate_secret),
        route(Method::POST, "/admin/v1/users", Admin, admin::users::create),
        route(Method::GET, "/admin/v1/users", Admin, admin::users::list),
        route(Method::GET, "/admin/v1/users/{id}", Admin, admin::users::show),
        route(Method::PATCH, "/admin/v1/users/{id}", Admin, admin::users::edit),
        route(Method::DELETE, "/admin/v1/users/{id}", Admin, admin::users::delete),
        route(Method::POST, "/admin/v1/apis", Admin, admin::apis::create),
        route(Method::GET, "/admin/v1/apis", Admin, admin::apis::list),
        route(Method::GET, "/admin/v1/apis/{id}", Admin, admin::apis::show),
        route(Method::PATCH, "/admin/v1/apis/{id}", Admin, admin::apis::edit),
        route(Method::DELETE, "/admin/v1/apis/{id}", Admin, admin::apis::delete),
        route(Method::POST, "/admin/v1/plans", Admin, admin::plans::create),
        route(Method::GET, "/admin/v1/plans", Admin, admin::plans::list),
        route(Method::GET, "/admin/v1/plans/{id}", Admin, admin::plans::show),
        route(Method::PATCH, "/admin/v1/plans/{id}", Admin, admin::plans::edit),
        route(Method::DELETE, "/admin/v1/plans/{id}", Admin, admin::plans::delete),
    ]
}

/// What the management listener serves.
#[must_use]
pub fn management() -> Vec<Route> {
    vec![
        route(Method::GET, "/health/live", Access::Network, management::live),
        route(Method::GET, "/health/ready", Access::Network, management::ready),
        route(Method::GET, "/metrics", Access::Network, management::metrics),
        route(Method::GET, "/version", Access::Network, management::version),
    ]
}

/// Turns a table into a router: the bearer middleware goes where the access says so.
pub(crate) fn router(table: Vec<Route>, state: AppState) -> Router {
    let oauth = BearerLayer::new(&state, OAuthResponder);
    let rest = BearerLayer::new(&state, ProblemResponder);
    let routes = table.into_iter().fold(Router::new(), |router, route| {
        let handler = match route.access {
            Access::Bearer => route.handler.layer(oauth.clone()),
            Access::User | Access::Admin => route.handler.layer(rest.clone()),
            Access::Public | Access::Client | Access::Presented | Access::Network => route.handler,
        };
        router.route(route.path, handler)
    });
    routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed).with_state(state)
}

fn route<H, T>(method: Method, path: &'static str, access: Access, handler: H) -> Route
where
    H: Handler<T, AppState>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).expect("the table has standard methods only");
    Route { method: Some(method), path, access, handler: on(filter, handler) }
}

fn any<H, T>(path: &'static str, access: Access, handler: H) -> Route
where
    H: Handler<T, AppState>,
    T: 'static,
{
    Route { method: None, path, access, handler: axum::routing::any(handler) }
}

async fn not_found(info: Info) -> Response {
    problem::respond(problem::NOT_FOUND, info.0.as_ref(), "no route of this service has this path", &[])
}

async fn method_not_allowed(info: Info) -> Response {
    problem::respond(problem::METHOD_NOT_ALLOWED, info.0.as_ref(), "the path is served, but not by this method", &[])
}

struct Info(Option<RequestInfo>);

impl<S: Send + Sync> FromRequestParts<S> for Info {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get().cloned()))
    }
}

//! The table of everything that is served: method, path, who may call it, handler.

use std::convert::Infallible;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::Serialize;

use super::bearer::{OAuthResponder, ProblemResponder};
use super::context::RequestInfo;
use super::openapi::{self, Description};
use super::refresh::BearerLayer;
use super::{AppState, admin, api, console, leaks, management, notice, oauth, problem};

/// Who may call a route, and how they prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Anybody: metadata, reports of leaks.
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
    /// A user with the role operator, who may act beyond their own workspace.
    Operator,
    /// Whoever reaches the management listener.
    Network,
    /// Anybody with a browser: a page before signing in, or a file that pages refer to.
    Visitor,
    /// A page for who is signed in to the console; others are sent to the sign-in page.
    Session,
    /// A page for administrators who are signed in.
    AdminSession,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Route {
    /// `None`: any method.
    pub method: Option<Method>,
    pub path: &'static str,
    pub access: Access,
    /// Its body may take as long as it keeps coming.
    pub streams: bool,
    handler: MethodRouter<AppState>,
    /// None for pages: the document is about REST.
    description: Option<fn() -> Description>,
}

/// A line of the table. `ANY` is served for all methods.
macro_rules! route {
    (@ $method:expr, $path:literal, $access:expr, $($handler:tt)+) => {
        Route::new($method, $path, $access, $($handler)+, || openapi::describe(utoipa_axum::routes!($($handler)+)))
    };
    (ANY, $($line:tt)+) => { route!(@ None, $($line)+) };
    ($method:ident, $($line:tt)+) => { route!(@ Some(Method::$method), $($line)+) };
}

/// What the public listener serves.
#[must_use]
pub fn public() -> Vec<Route> {
    use Access::{Admin, Bearer, Client, Operator, Presented, Public, User};
    vec![
        route!(GET, "/oauth20/access-token", Bearer, oauth::access_token::show),
        route!(DELETE, "/oauth20/access-token", Bearer, oauth::access_token::end),
        route!(GET, "/oauth20/access-tokens", Bearer, oauth::access_token::show),
        route!(DELETE, "/oauth20/access-tokens", Bearer, oauth::access_token::end),
        route!(POST, "/oauth20/token", Client, oauth::token::issue),
        route!(POST, "/oauth20/revoke", Client, oauth::revoke::revoke),
        route!(POST, "/oauth20/introspect", Client, oauth::introspect::introspect),
        route!(GET, "/oauth20/revocations", Client, oauth::revocations::follow),
        route!(ANY, "/oauth20/verify", Presented, oauth::verify::verify),
        route!(ANY, "/oauth20/verify/", Presented, oauth::verify::verify),
        route!(ANY, "/oauth20/verify/{*path}", Presented, oauth::verify::verify),
        route!(GET, "/.well-known/oauth-authorization-server", Public, oauth::metadata::authorization_server),
        route!(GET, "/.well-known/oauth-protected-resource", Public, oauth::metadata::protected_resource),
        route!(POST, "/leaks", Public, leaks::report),
        route!(GET, "/openapi.json", Public, openapi::show),
        route!(GET, "/docs/api", Public, openapi::page::show),
        route!(GET, "/docs/api/{file}", Public, openapi::page::part),
        route!(GET, "/api/v1/me", User, api::me::show),
        route!(GET, "/api/v1/token", Bearer, api::token::show),
        route!(POST, "/api/v1/tokens", User, api::tokens::create),
        route!(GET, "/api/v1/tokens", User, api::tokens::list),
        route!(POST, "/api/v1/tokens/bulk", User, api::tokens::bulk),
        route!(POST, "/api/v1/tokens/revoke-all", User, api::tokens::revoke_all),
        route!(GET, "/api/v1/tokens/{id}", User, api::tokens::show),
        route!(PATCH, "/api/v1/tokens/{id}", User, api::tokens::edit),
        route!(DELETE, "/api/v1/tokens/{id}", User, api::tokens::delete),
        route!(POST, "/api/v1/tokens/{id}/rotate", User, api::tokens::rotate),
        route!(POST, "/api/v1/tokens/{id}/disable", User, api::tokens::disable),
        route!(POST, "/api/v1/tokens/{id}/revoke", User, api::tokens::revoke),
        route!(POST, "/admin/v1/tokens", Admin, admin::tokens::create),
        route!(GET, "/admin/v1/tokens", Admin, admin::tokens::list),
        route!(POST, "/admin/v1/tokens/bulk", Admin, admin::tokens::bulk),
        route!(POST, "/admin/v1/tokens/revoke-all", Admin, admin::tokens::revoke_all),
        route!(GET, "/admin/v1/tokens/{id}", Admin, admin::tokens::show),
        route!(PATCH, "/admin/v1/tokens/{id}", Admin, admin::tokens::edit),
        route!(DELETE, "/admin/v1/tokens/{id}", Admin, admin::tokens::delete),
        route!(POST, "/admin/v1/tokens/{id}/rotate", Admin, admin::tokens::rotate),
        route!(POST, "/admin/v1/tokens/{id}/disable", Admin, admin::tokens::disable),
        route!(POST, "/admin/v1/tokens/{id}/revoke", Admin, admin::tokens::revoke),
        route!(POST, "/admin/v1/clients", Admin, admin::clients::create),
        route!(GET, "/admin/v1/clients", Admin, admin::clients::list),
        route!(GET, "/admin/v1/explain", Admin, admin::explain::show),
        route!(GET, "/admin/v1/clients/{client_id}", Admin, admin::clients::show),
        route!(DELETE, "/admin/v1/clients/{client_id}", Admin, admin::clients::delete),
        route!(PATCH, "/admin/v1/clients/{client_id}", Admin, admin::clients::edit),
        route!(POST, "/admin/v1/clients/{client_id}/rotate-secret", Admin, admin::clients::rotate_secret),
        route!(GET, "/admin/v1/revocations/{revision}", Admin, admin::revocations::show),
        route!(POST, "/admin/v1/users", Admin, admin::users::create),
        route!(GET, "/admin/v1/users", Admin, admin::users::list),
        route!(GET, "/admin/v1/users/{id}", Admin, admin::users::show),
        route!(PATCH, "/admin/v1/users/{id}", Admin, admin::users::edit),
        route!(DELETE, "/admin/v1/users/{id}", Admin, admin::users::delete),
        route!(GET, "/api/v1/policies", User, admin::policies::list),
        route!(GET, "/admin/v1/policies", Admin, admin::policies::list_for_admin),
        route!(GET, "/admin/v1/policies/{name}", Admin, admin::policies::show),
        route!(POST, "/admin/v1/policies/{name}/apply", Operator, admin::policies::apply),
        route!(GET, "/admin/v1/events", Admin, admin::events::list),
        route!(POST, "/admin/v1/webhooks", Admin, admin::webhooks::create),
        route!(GET, "/admin/v1/webhooks", Admin, admin::webhooks::list),
        route!(GET, "/admin/v1/webhooks/{id}", Admin, admin::webhooks::show),
        route!(PATCH, "/admin/v1/webhooks/{id}", Admin, admin::webhooks::edit),
        route!(DELETE, "/admin/v1/webhooks/{id}", Admin, admin::webhooks::delete),
        route!(POST, "/admin/v1/webhooks/{id}/rotate-secret", Admin, admin::webhooks::rotate_secret),
        route!(POST, "/admin/v1/webhooks/{id}/test", Admin, admin::webhooks::test),
        route!(GET, "/admin/v1/audit", Admin, admin::audit::list),
        route!(GET, "/admin/v1/workspace", Admin, admin::workspaces::show_own),
        route!(PATCH, "/admin/v1/workspace", Admin, admin::workspaces::edit_own),
        route!(POST, "/admin/v1/workspaces", Operator, admin::workspaces::create),
        route!(GET, "/admin/v1/workspaces", Operator, admin::workspaces::list),
        route!(GET, "/admin/v1/workspaces/{id}", Operator, admin::workspaces::show),
        route!(PATCH, "/admin/v1/workspaces/{id}", Operator, admin::workspaces::edit),
        route!(DELETE, "/admin/v1/workspaces/{id}", Operator, admin::workspaces::delete),
        route!(POST, "/admin/v1/apis", Admin, admin::apis::create),
        route!(GET, "/admin/v1/apis", Admin, admin::apis::list),
        route!(GET, "/admin/v1/apis/{id}", Admin, admin::apis::show),
        route!(PATCH, "/admin/v1/apis/{id}", Admin, admin::apis::edit),
        route!(DELETE, "/admin/v1/apis/{id}", Admin, admin::apis::delete),
        route!(POST, "/admin/v1/plans", Admin, admin::plans::create),
        route!(GET, "/admin/v1/plans", Admin, admin::plans::list),
        route!(GET, "/admin/v1/plans/{id}", Admin, admin::plans::show),
        route!(PATCH, "/admin/v1/plans/{id}", Admin, admin::plans::edit),
        route!(DELETE, "/admin/v1/plans/{id}", Admin, admin::plans::delete),
        route!(POST, "/admin/v1/legacy-imports", Admin, admin::legacy_imports::create),
        route!(GET, "/admin/v1/legacy-imports", Admin, admin::legacy_imports::list),
        route!(GET, "/admin/v1/legacy-imports/{import}", Admin, admin::legacy_imports::show),
        route!(DELETE, "/admin/v1/legacy-imports/{import}", Admin, admin::legacy_imports::delete),
        route!(POST, "/admin/v1/legacy-imports/{import}/extend", Admin, admin::legacy_imports::extend),
        route!(POST, "/admin/v1/legacy-imports/{import}/rows", Admin, admin::legacy_rows::upload).streaming(),
        route!(GET, "/admin/v1/legacy-imports/{import}/in-use", Admin, admin::legacy_report::in_use),
    ]
}

/// The pages of the console, on the public listener too.
#[must_use]
pub fn pages() -> Vec<Route> {
    console::routes()
}

/// What the management listener serves.
#[must_use]
pub fn management() -> Vec<Route> {
    use Access::Network;
    vec![
        route!(GET, "/health/live", Network, management::live),
        route!(GET, "/health/ready", Network, management::ready),
        route!(GET, "/metrics", Network, management::metrics),
        route!(GET, "/version", Network, management::version),
    ]
}

/// Turns a table into a router: the bearer middleware goes where the access says so.
pub(crate) fn router(table: Vec<Route>, state: AppState) -> Router {
    let oauth = BearerLayer::new(&state, OAuthResponder(state.clone()));
    let rest = BearerLayer::new(&state, ProblemResponder(state.clone()));
    let routes = table.into_iter().fold(Router::new(), |router, route| {
        let handler = match route.access {
            Access::Bearer => route.handler.layer(oauth.clone()),
            Access::User => {
                let handler = route.handler.layer::<_, Infallible>(from_fn(notice::layer)).layer(rest.clone());
                handler.layer(from_fn_with_state(state.clone(), console::gate::rest))
            }
            Access::Admin | Access::Operator => {
                route.handler.layer::<_, Infallible>(from_fn(notice::layer)).layer(rest.clone())
            }
            Access::Public | Access::Client | Access::Presented | Access::Network => route.handler,
            Access::Visitor | Access::Session | Access::AdminSession => {
                console::layers(route.handler, route.access, &state)
            }
        };
        router.route(route.path, handler)
    });
    routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed).with_state(state)
}

impl Route {
    fn new<H, T>(
        method: Option<Method>,
        path: &'static str,
        access: Access,
        handler: H,
        description: fn() -> Description,
    ) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        Self { description: Some(description), ..Self::page(method, path, access, handler) }
    }

    /// A line without an annotation.
    pub(super) fn page<H, T>(method: Option<Method>, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, AppState>,
        T: 'static,
    {
        let handler = match method.clone().map(MethodFilter::try_from) {
            Some(filter) => on(filter.expect("the table has standard methods only"), handler),
            None => axum::routing::any(handler),
        };
        Self { method, path, access, streams: false, handler, description: None }
    }

    fn streaming(self) -> Self {
        Self { streams: true, ..self }
    }

    /// What the annotation of the handler says.
    pub(super) fn describe(&self) -> Description {
        (self.description.expect("only pages have no annotation, and they are not in the document"))()
    }

    /// The schemas of all types that the annotation names, by name.
    #[must_use]
    pub fn schemas(&self) -> Vec<(String, serde_json::Value)> {
        let schemas = self.describe().schemas.into_iter();
        schemas.map(|(name, schema)| (name, serde_json::to_value(schema).expect("a schema is plain data"))).collect()
    }

    /// The method and the path that the annotation of the handler names.
    #[must_use]
    pub fn annotated(&self) -> (Method, String) {
        let Description { method, path, .. } = self.describe();
        (method, path)
    }
}

async fn not_found(info: Info) -> Response {
    problem::respond(problem::NOT_FOUND, info.0.as_ref(), "no route of this service has this path", &[])
}

async fn method_not_allowed(info: Info) -> Response {
    problem::respond(problem::METHOD_NOT_ALLOWED, info.0.as_ref(), "the path is served, but not by this method", &[])
}

struct Info(Option<RequestInfo>);

impl<S: Send + Sync> FromRequestParts<S> for Info {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get().cloned()))
    }
}

//! `/console/…`: the web pages. Each is rendered on the server, works without script, and calls the same use cases as REST.
//!
//! A handler gets who is signed in from `gate`, the frame of its page from `page`, and gives a template or a redirect.

mod account;
mod admin;
mod assets;
mod chart;
mod complaint;
mod cookie;
mod done;
mod ending;
mod failure;
mod fields;
pub(super) mod gate;
mod language;
mod menu;
mod oidc;
mod page;
mod pager;
mod preferences;
mod removal;
mod respond;
mod secret_page;
mod security;
mod setup;
mod sheet;
mod sign_in;
mod tags;
mod texts;
mod token_list;
mod token_overview;
mod tokens;

use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::MethodRouter;
use tower_http::csrf::CsrfLayer;

use super::AppState;
use super::routes::{Access, Route};

/// The pages, as lines of the table of routes.
pub(super) fn routes() -> Vec<Route> {
    use Access::{AdminSession, Session, Visitor};
    vec![
        Route::page(Some(Method::GET), "/console/assets/{file}", Visitor, assets::asset),
        Route::page(Some(Method::POST), "/console/preferences", Visitor, preferences::change),
        Route::page(Some(Method::GET), "/console/sign-in", Visitor, sign_in::show),
        Route::page(Some(Method::POST), "/console/sign-in", Visitor, sign_in::sign_in),
        Route::page(Some(Method::GET), "/console/sign-in/oidc", Visitor, oidc::begin),
        Route::page(Some(Method::GET), "/console/sign-in/oidc/callback", Visitor, oidc::callback),
        Route::page(Some(Method::GET), "/console/setup", Visitor, setup::show),
        Route::page(Some(Method::POST), "/console/setup", Visitor, setup::set),
        Route::page(None, "/console/{*path}", Visitor, failure::not_found),
        Route::page(Some(Method::GET), "/console", Session, sign_in::start),
        Route::page(Some(Method::GET), "/console/tokens", Session, tokens::list),
        Route::page(Some(Method::GET), "/console/tokens/new", Session, tokens::new),
        Route::page(Some(Method::POST), "/console/tokens/new", Session, tokens::create),
        Route::page(Some(Method::POST), "/console/tokens/confirm", Session, ending::confirm_own),
        Route::page(Some(Method::POST), "/console/tokens/apply", Session, ending::apply_own),
        Route::page(Some(Method::GET), "/console/tokens/{id}", Session, tokens::show),
        Route::page(Some(Method::GET), "/console/tokens/{id}/associations", Session, tokens::associations),
        Route::page(Some(Method::GET), "/console/security", Session, security::show),
        Route::page(Some(Method::POST), "/console/security/access-token", Session, security::create_access_token),
        Route::page(Some(Method::POST), "/console/security/keys", Session, security::create_key),
        Route::page(Some(Method::GET), "/console/security/revoke-all", Session, security::confirm_revoke_all),
        Route::page(Some(Method::POST), "/console/security/revoke-all", Session, security::revoke_all_access_tokens),
        Route::page(Some(Method::GET), "/console/admin", AdminSession, admin::overview::show),
        Route::page(Some(Method::GET), "/console/admin/tokens", AdminSession, admin::tokens::list),
        Route::page(Some(Method::GET), "/console/admin/export/tokens", AdminSession, admin::tokens::export),
        Route::page(Some(Method::POST), "/console/admin/tokens/confirm", AdminSession, admin::tokens::confirm),
        Route::page(Some(Method::POST), "/console/admin/tokens/apply", AdminSession, admin::tokens::apply),
        Route::page(Some(Method::GET), "/console/admin/tokens/{id}", AdminSession, admin::tokens::show),
        Route::page(
            Some(Method::GET),
            "/console/admin/tokens/{id}/associations",
            AdminSession,
            admin::tokens::associations,
        ),
        Route::page(Some(Method::GET), "/console/admin/tokens/{id}/edit", AdminSession, admin::token_edit::show),
        Route::page(Some(Method::POST), "/console/admin/tokens/{id}/edit", AdminSession, admin::token_edit::save),
        Route::page(Some(Method::GET), "/console/admin/users", AdminSession, admin::users::list),
        Route::page(Some(Method::POST), "/console/admin/users", AdminSession, admin::users::create),
        Route::page(Some(Method::POST), "/console/admin/users/{id}/link", AdminSession, admin::users::new_link),
        Route::page(Some(Method::POST), "/console/admin/users/{id}/tokens", AdminSession, admin::users::allow_tokens),
        Route::page(Some(Method::GET), "/console/admin/new/client", AdminSession, admin::client_edit::new),
        Route::page(Some(Method::POST), "/console/admin/new/client", AdminSession, admin::client_edit::create),
        Route::page(Some(Method::GET), "/console/admin/new/api", AdminSession, admin::apis::new),
        Route::page(Some(Method::POST), "/console/admin/new/api", AdminSession, admin::apis::create),
        Route::page(Some(Method::GET), "/console/admin/new/plan", AdminSession, admin::plans::new),
        Route::page(Some(Method::POST), "/console/admin/new/plan", AdminSession, admin::plans::create),
        Route::page(Some(Method::GET), "/console/admin/clients", AdminSession, admin::clients::list),
        Route::page(Some(Method::GET), "/console/admin/clients/{id}", AdminSession, admin::clients::show),
        Route::page(Some(Method::GET), "/console/admin/clients/{id}/edit", AdminSession, admin::client_edit::show),
        Route::page(Some(Method::POST), "/console/admin/clients/{id}/edit", AdminSession, admin::client_edit::save),
        Route::page(Some(Method::GET), "/console/admin/clients/{id}/rotate", AdminSession, admin::client_secret::ask),
        Route::page(
            Some(Method::POST),
            "/console/admin/clients/{id}/rotate",
            AdminSession,
            admin::client_secret::rotate,
        ),
        Route::page(
            Some(Method::GET),
            "/console/admin/clients/{id}/delete",
            AdminSession,
            admin::clients::confirm_delete,
        ),
        Route::page(Some(Method::POST), "/console/admin/clients/{id}/delete", AdminSession, admin::clients::delete),
        Route::page(Some(Method::GET), "/console/admin/apis", AdminSession, admin::apis::list),
        Route::page(Some(Method::GET), "/console/admin/apis/{id}/edit", AdminSession, admin::apis::show_edit),
        Route::page(Some(Method::POST), "/console/admin/apis/{id}/edit", AdminSession, admin::apis::save),
        Route::page(Some(Method::GET), "/console/admin/apis/{id}/delete", AdminSession, admin::apis::confirm_delete),
        Route::page(Some(Method::POST), "/console/admin/apis/{id}/delete", AdminSession, admin::apis::delete),
        Route::page(Some(Method::GET), "/console/admin/plans", AdminSession, admin::plans::list),
        Route::page(Some(Method::GET), "/console/admin/plans/{id}/edit", AdminSession, admin::plans::show_edit),
        Route::page(Some(Method::POST), "/console/admin/plans/{id}/edit", AdminSession, admin::plans::save),
        Route::page(Some(Method::GET), "/console/admin/plans/{id}/delete", AdminSession, admin::plans::confirm_delete),
        Route::page(Some(Method::POST), "/console/admin/plans/{id}/delete", AdminSession, admin::plans::delete),
        Route::page(Some(Method::GET), "/console/admin/users/{id}/edit", AdminSession, admin::user_edit::show),
        Route::page(Some(Method::POST), "/console/admin/users/{id}/edit", AdminSession, admin::user_edit::save),
        Route::page(
            Some(Method::GET),
            "/console/admin/users/{id}/delete",
            AdminSession,
            admin::user_edit::confirm_delete,
        ),
        Route::page(Some(Method::POST), "/console/admin/users/{id}/delete", AdminSession, admin::user_edit::delete),
        Route::page(Some(Method::GET), "/console/admin/policies", AdminSession, admin::policies::list),
        Route::page(Some(Method::GET), "/console/admin/legacy", AdminSession, admin::legacy::list),
        Route::page(Some(Method::GET), "/console/admin/legacy/{id}", AdminSession, admin::legacy::show),
        Route::page(Some(Method::POST), "/console/admin/legacy/{id}/extend", AdminSession, admin::legacy::extend),
        Route::page(
            Some(Method::GET),
            "/console/admin/legacy/{id}/revoke",
            AdminSession,
            admin::legacy::confirm_revoke,
        ),
        Route::page(Some(Method::POST), "/console/admin/legacy/{id}/revoke", AdminSession, admin::legacy::revoke),
        Route::page(Some(Method::GET), "/console/admin/explain", AdminSession, admin::explain::show),
        Route::page(Some(Method::POST), "/console/admin/explain", AdminSession, admin::explain::ask),
        Route::page(Some(Method::GET), "/console/admin/audit", AdminSession, admin::audit::list),
        Route::page(Some(Method::GET), "/console/account", Session, account::show),
        Route::page(Some(Method::POST), "/console/account/password", Session, account::change_password),
        Route::page(Some(Method::POST), "/console/account/sessions", Session, account::end_sessions),
        Route::page(Some(Method::POST), "/console/sign-out", Session, sign_in::sign_out),
    ]
}

/// The first value of a parameter of the address.
fn query_value(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

/// What stands before a page: its headers, then the decision whether the form comes from another site, then who it is.
pub(super) fn layers(handler: MethodRouter<AppState>, access: Access, state: &AppState) -> MethodRouter<AppState> {
    let handler = match access {
        Access::AdminSession => handler.layer(from_fn_with_state(state.clone(), gate::admin)),
        Access::Session => handler.layer(from_fn_with_state(state.clone(), gate::member)),
        _ => handler,
    };
    handler.layer(same_site(&state.wire.issuer)).layer(from_fn(respond::frame))
}

/// A browser says where a form comes from (`Sec-Fetch-Site`, `Origin`); behind a proxy that changes `Host`, the public
/// URL tells which origin is this one.
pub(super) fn same_site(issuer: &str) -> CsrfLayer {
    let layer = CsrfLayer::new();
    let origin = url::Url::parse(issuer).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    layer.clone().add_trusted_origin(origin).unwrap_or(layer)
}

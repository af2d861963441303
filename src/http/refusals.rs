//! Notes what is refused at the edge, so that an administrator can ask for the reason.

use axum::http::request::Parts;
use jeton_guard::Refusal;

use super::AppState;
use super::context::RequestInfo;
use crate::domain::refusal::Rule;
use crate::service::error::ApiFailure;
use crate::service::refusals::{Refused, rule_of};

/// A refusal of the bearer middleware, or of a handler that judges a token itself.
pub(super) fn note(state: &AppState, refusal: &Refusal, request: &Parts) {
    let (rule, detail) = match refusal {
        Refusal::Missing => (Rule::Missing, None),
        Refusal::Malformed(malformed) => (Rule::Malformed, Some(malformed.description().to_owned())),
        Refusal::InvalidToken(inactive) => (rule_of(*inactive), None),
        Refusal::InsufficientScope { scope } if scope.is_empty() => (Rule::NotCovered, None),
        Refusal::InsufficientScope { scope } => (Rule::Scope, Some(scope.chars().take(MAX_DETAIL_CHARS).collect())),
        Refusal::LimitExceeded { .. } => (Rule::PlanLimit, None),
        // That nobody could tell is no rule, and could not be written either.
        Refusal::Unavailable(_) => return,
    };
    write(state, rule, detail, request);
}

/// A good token whose holder may not do what it was sent for.
pub(super) fn note_failure(state: &AppState, failure: &ApiFailure, request: &Parts) {
    if let ApiFailure::Forbidden(why) = failure {
        write(state, Rule::NotAllowed, Some((*why).to_owned()), request);
    }
}

/// A token that somebody has asked about and that was told to be inactive. Whoever was refused with it will ask why; one
/// that this service has not made costs no row.
pub(super) fn note_inactive(state: &AppState, rule: Rule, token: &str, request: &Parts) {
    if state.service.has_made(token) {
        state.service.note_refusal(refused(state, rule, None, Some(token), request));
    }
}

/// Words of the caller that are kept.
const MAX_DETAIL_CHARS: usize = 200;

fn write(state: &AppState, rule: Rule, detail: Option<String>, request: &Parts) {
    let credential = jeton_guard::credential(&request.headers, request.uri.query()).ok().flatten();
    let credential = credential.as_ref().map(jeton_guard::Presented::token);
    state.service.note_refusal(refused(state, rule, detail, credential, request));
}

fn refused<'a>(
    state: &AppState,
    rule: Rule,
    detail: Option<String>,
    credential: Option<&'a str>,
    request: &'a Parts,
) -> Refused<'a> {
    let request_id = request.extensions.get().map_or("", RequestInfo::id_text);
    Refused { request_id, endpoint: endpoint(state, request), credential, rule, detail }
}

/// Method and route. What stood in the path may be another workspace's.
fn endpoint(state: &AppState, request: &Parts) -> String {
    let path = request.uri.path();
    let paths = &state.wire.paths;
    let route = paths.iter().find(|route| **route == path).or_else(|| paths.iter().find(|route| is_of(route, path)));
    // An invented method may be of any length.
    let method: String = request.method.as_str().chars().take(20).collect();
    format!("{method} {}", route.unwrap_or(&"(other)"))
}

/// Whether `path` is served by `route`, whose variable segments stand in braces.
fn is_of(route: &str, path: &str) -> bool {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    loop {
        match (route.next(), path.next()) {
            (Some(expected), Some(_)) if expected.starts_with("{*") => return true,
            (Some(expected), Some(_)) if expected.starts_with('{') => {}
            (Some(expected), Some(given)) if expected == given => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_known_by_its_route() {
        assert!(is_of("/api/v1/tokens/{id}/revoke", "/api/v1/tokens/grt_1/revoke"));
        assert!(is_of("/oauth20/verify/{*path}", "/oauth20/verify/orders/1"));
        for path in ["/api/v1/tokens/grt_1", "/api/v1/tokens/grt_1/revoke/", "/api/v1/users/x/revoke"] {
            assert!(!is_of("/api/v1/tokens/{id}/revoke", path), "{path}");
        }
    }
}

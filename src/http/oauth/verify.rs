//! `/oauth20/verify`: the decision that a reverse proxy asks for before it forwards a request.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use jeton_guard::{Limits, Outcome, Refusal, Requirement, Validator as _};

use super::answering;
use crate::domain::grant::Revision;
use crate::http::{AppState, bearer, notice, refresh, revision};
use crate::service::error::{OAuthCode, OAuthError};
use crate::service::token::Undelivered;
use crate::service::validate::Validated;

/// The decision that a reverse proxy asks for
///
/// Any method, any path below; the body is not read. All that the query asks for must hold.
#[utoipa::path(get, path = "/oauth20/verify",
    params(
        ("scope" = Option<Vec<String>>, Query, description = "Scopes that the token must have"),
        ("api" = Option<Vec<String>>, Query, description = "APIs that it must cover"),
        ("workspace" = Option<Vec<String>>, Query, description = "The workspace that it must be of"),
    ),
    responses((status = 200, description = "Accepted", headers(
        ("X-Auth-Subject" = String), ("X-Auth-Client" = String), ("X-Auth-Workspace" = String), ("X-Auth-Scope" = String),
        ("X-Auth-Token-Id" = String), ("X-Auth-Expires" = String),
    ))))]
pub(crate) async fn verify(State(state): State<AppState>, parts: Parts) -> Response {
    let at_least = match revision::at_least(&parts.headers) {
        Ok(at_least) => at_least,
        Err(error) => return answering(&state, &parts).refusal(&OAuthError::new(OAuthCode::InvalidRequest, error)),
    };
    if refresh::is_asked(&parts.headers) {
        return Box::pin(refreshed(&state, &parts, at_least)).await;
    }
    let verdict = judge(&state, &parts, at_least).await;
    answer(&state, &parts, verdict)
}

/// A token that covers what is demanded, and where it stands with its limits.
type Verdict = Result<(Validated, Limits), Refusal>;

fn answer(state: &AppState, parts: &Parts, verdict: Verdict) -> Response {
    match verdict {
        Ok((validated, limits)) => accepted(state, &validated, &limits),
        Err(refusal) => bearer::respond(state, &refusal, parts),
    }
}

/// With an expired access token and its refresh token: decides about the new one, and hands the pair out.
async fn refreshed(state: &AppState, parts: &Parts, at_least: Revision) -> Response {
    let pair = match refresh::pair(state, parts, at_least).await {
        Ok(Some(pair)) => pair,
        Ok(None) => return answer(state, parts, judge(state, parts, at_least).await),
        Err(refusal) => return answer(state, parts, Err(refusal)),
    };
    let outcome = Undelivered(state.service.clone()).validate(pair.access_token.expose_secret()).await;
    let mut response = answer(state, parts, covered(state, outcome, parts.uri.query()));
    refresh::show(&pair, response.headers_mut());
    response
}

async fn judge(state: &AppState, parts: &Parts, at_least: Revision) -> Verdict {
    let query = parts.uri.query();
    let presented = match jeton_guard::credential(&parts.headers, query) {
        Ok(Some(presented)) => presented,
        Ok(None) => return Err(Refusal::Missing),
        Err(malformed) => return Err(Refusal::Malformed(malformed)),
    };
    covered(state, state.service.validate_at(presented.token(), at_least).await, query)
}

/// A validation is counted last: what is refused for another reason uses nothing up.
fn covered(state: &AppState, outcome: Outcome<Validated>, query: Option<&str>) -> Verdict {
    let validated = outcome.into_result()?;
    let requirement = query.map_or_else(Requirement::none, requirement);
    requirement.check(&validated)?;
    let limits = state.service.count_use(&validated, requirement.apis())?;
    Ok((validated, limits))
}

/// `scope`, `api` and `workspace`, each repeatable: all must hold. Other parameters belong to the proxied request.
fn requirement(query: &str) -> Requirement {
    form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()).fold(
        Requirement::none(),
        |requirement, (name, value)| match &*name {
            "scope" => value.split(' ').filter(|word| !word.is_empty()).fold(requirement, Requirement::scope),
            "api" => requirement.api(value),
            "workspace" => requirement.workspace(value),
            _ => requirement,
        },
    )
}

fn accepted(state: &AppState, validated: &Validated, limits: &Limits) -> Response {
    let token = validated.token();
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    put(headers, SUBJECT, &token.subject);
    // Each header is always set, if need be empty: a proxy that copies them then overwrites what the client sent.
    put(headers, CLIENT, token.grant.client.as_ref().map_or("", |client| client.client_id.as_str()));
    put(headers, WORKSPACE, &token.grant.workspace.name);
    put(headers, SCOPE, &token.scope);
    put(headers, TOKEN_ID, &token.id.to_string());
    let expires = token.expires_at.map_or(HeaderValue::from_static(""), |end| HeaderValue::from(end.seconds()));
    headers.insert(EXPIRES, expires);
    let cache_for = state.service.cache_max_age.seconds();
    let left = token.expires_in(validated.now).unwrap_or(i64::MAX).min(i64::from(cache_for));
    let cache = if left > 0 { HeaderValue::try_from(format!("private, max-age={left}")).ok() } else { None };
    headers.insert(header::CACHE_CONTROL, cache.unwrap_or(HeaderValue::from_static("no-store")));
    limits.write(response.headers_mut());
    notice::add(response, token)
}

const SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
const CLIENT: HeaderName = HeaderName::from_static("x-auth-client");
const WORKSPACE: HeaderName = HeaderName::from_static("x-auth-workspace");
const SCOPE: HeaderName = HeaderName::from_static("x-auth-scope");
const TOKEN_ID: HeaderName = HeaderName::from_static("x-auth-token-id");
const EXPIRES: HeaderName = HeaderName::from_static("x-auth-expires");

/// Visible ASCII only: what else stands in a value becomes `?`.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).unwrap_or_else(|_| {
        let clean: String = value.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect();
        HeaderValue::try_from(clean).unwrap_or(HeaderValue::from_static(""))
    });
    headers.insert(name, value);
}

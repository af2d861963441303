//! `/api/v1/tokens…`

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::ids::{ClientId, GrantId};
use crate::domain::lifetime::Lifetime;
use crate::domain::policy::Credential;
use crate::domain::scope::Scopes;
use crate::http::caller::Member;
use crate::http::oauth_error::no_store;
use crate::http::page::{self, Page, PageQuery, PageRequest};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, json as body, problem};
use crate::service::catalog::AskedAssociations;
use crate::service::error::ApiFailure;
use crate::service::revoke::Receipt;
use crate::service::tokens::{
    CreateToken, CreatedToken, EndTokens, Ending, Manager, RevokeAll, Selected, TokenFilter, TokenView,
};
use crate::store::grant::GrantCursor;

/// The body of POST.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenCreate)]
struct CreateBody {
    /// `access`, `api`, `key`, or another of the configuration that owners may use
    policy: String,
    /// Tells this token from the others in the list; needed for a key or a pair
    #[serde(default)]
    name: Option<String>,
    /// Within the bounds of the policy
    #[serde(default)]
    lifetime: Option<Lifetime>,
    #[serde(default)]
    #[schema(value_type = Scopes)]
    scopes: Vec<String>,
    /// Names of APIs of the workspace
    #[serde(default)]
    apis: Option<Vec<String>>,
    /// Names of plans of the workspace
    #[serde(default)]
    plans: Option<Vec<String>>,
    /// At most 4096 bytes as JSON
    #[serde(default)]
    #[schema(value_type = Object)]
    extra_fields: Map<String, Value>,
}

/// The body of a revocation; all of it may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenRevoke)]
struct RevokeBody {
    #[serde(default)]
    reason: Option<String>,
}

/// The body of revoke-all; all of it may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenRevokeAll)]
struct RevokeAllBody {
    #[serde(default = "access")]
    policy: String,
}

/// A new token with its secrets, which are shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenCreated)]
struct Created<'a> {
    token: TokenView<'a>,
    /// Of policy `key`: the key itself
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<&'a str>,
    /// Seconds that the access token or the key has left; null when it does not end
    #[schema(required)]
    expires_in: Option<i64>,
    /// Of a pair: refreshed with this and `client_id` at `token_endpoint`
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<String>,
}

/// A revoked token and how the revocation was applied.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenRevoked)]
struct Revoked<'a> {
    token: TokenView<'a>,
    revocation: Option<Receipt>,
}

/// All tokens of one policy, revoked.
#[derive(Serialize, ToSchema)]
#[schema(as = TokensRevoked)]
struct AllRevoked {
    message: &'static str,
    /// How many were alive; null where counting them would take longer than revoking them
    #[schema(required)]
    revoked: Option<u64>,
    revocation: Option<Receipt>,
}

/// The policy that revoke-all is about where none is named: the one that the page of short-lived tokens shows.
fn access() -> String {
    "access".to_owned()
}

impl Default for RevokeAllBody {
    fn default() -> Self {
        Self { policy: access() }
    }
}

/// Make a token of one's own
///
/// Its secrets are in the answer, this once.
#[utoipa::path(post, path = "/api/v1/tokens", responses((status = 201, description = "Made", body = Created<'static>)),
    request_body(content = CreateBody, examples(
        ("access token" = (value = json!({ "policy": "access", "lifetime": "6h", "scopes": ["orders:read"] }))),
        ("api key" = (value = json!({ "policy": "key", "name": "robot" }))),
        ("pair" = (value = json!({ "policy": "api", "name": "ci", "lifetime": "90d", "extra_fields": { "team": "web" } }))),
    )))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let request: CreateBody = body::read(&parts, body, &state).await?;
    let request = CreateToken {
        policy: request.policy,
        name: request.name,
        lifetime: request.lifetime,
        scopes: request.scopes,
        associations: AskedAssociations { apis: request.apis, plans: request.plans },
        extra_fields: request.extra_fields,
        ..CreateToken::default()
    };
    let created = state.service.create_token(&Manager::own(caller), request, None).await;
    Ok(created_answer(&state, &created.map_err(problem::of(&parts))?))
}

fn created_answer(state: &AppState, created: &CreatedToken) -> Response {
    let issued = &created.issued;
    let secret = issued.bearer.string.expose_secret().as_str();
    let (api_key, access_token) =
        if created.credential == Credential::Key { (Some(secret), None) } else { (None, Some(secret)) };
    let refresh = issued.refresh.as_ref();
    let mut response = no_store(&Created {
        token: TokenView::of(&created.grant, state.service.clock.now()),
        api_key,
        access_token,
        expires_in: issued.lifetime(&issued.bearer),
        refresh_token: refresh.map(|refresh| refresh.string.expose_secret().as_str()),
        refresh_token_expires_in: refresh.and_then(|refresh| issued.lifetime(refresh)),
        client_id: refresh.and(created.client_id.as_ref()),
        token_endpoint: refresh.map(|_| format!("{}/oauth20/token", state.wire.issuer)),
    });
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/tokens/{}", created.grant.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// List one's own tokens, newest first
#[utoipa::path(get, path = "/api/v1/tokens", params(PageQuery),
    responses((status = 200, description = "A page", body = Page<'static, TokenView<'static>>)))]
pub(crate) async fn list(State(state): State<AppState>, Member(caller): Member, parts: Parts) -> Answer {
    let page = PageRequest::read(&parts.uri).map_err(problem::of(&parts))?;
    let after = page
        .after
        .map_or(GrantCursor::START, |(created_at, id)| GrantCursor { created_at, id: GrantId::from_bytes(id) });
    let listed = state.service.list_tokens(&Manager::own(caller), TokenFilter::default(), after, page.limit).await;
    let (grants, next) = listed.map_err(problem::of(&parts))?;
    let now = state.service.clock.now();
    let views: Vec<TokenView<'_>> = grants.iter().map(|grant| TokenView::of(grant, now)).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.id.as_bytes()));
    Ok(page::respond(&parts.uri, page.limit, &views, next))
}

/// Show one of one's own tokens
#[utoipa::path(get, path = "/api/v1/tokens/{id}", params(("id" = GrantId, Path)),
    responses((status = 200, description = "The token", body = TokenView<'static>)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = grant_id(&id).map_err(problem::of(&parts))?;
    let grant = state.service.find_token(&Manager::own(caller), id).await.map_err(problem::of(&parts))?;
    let view = TokenView::of(&grant, state.service.clock.now());
    Ok(etag::tag(no_store(&view), grant.version))
}

/// Revoke one of one's own tokens, and what its policy says goes with it
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revoke", params(("id" = GrantId, Path)),
    request_body(content = RevokeBody, example = json!({ "reason": "lost" })),
    responses((status = 200, description = "Revoked, on every node", body = Revoked<'static>)))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let RevokeBody { reason } = body::read_optional(&parts, body, &state).await?;
    let id = grant_id(&id).map_err(problem::of(&parts))?;
    let manager = Manager::own(caller);
    let end =
        EndTokens { ending: Ending::Revoke, selected: Selected::One(id), reason, expect_count: None, dry_run: false };
    let ended = state.service.end_tokens(&manager, end).await.map_err(problem::of(&parts))?;
    let grant = state.service.find_token(&manager, id).await.map_err(problem::of(&parts))?;
    let receipt = ended.receipt;
    let token = TokenView::of(&grant, state.service.clock.now());
    Ok(no_store(&Revoked { token, revocation: receipt }))
}

/// Revoke all of one's own tokens of a policy
#[utoipa::path(post, path = "/api/v1/tokens/revoke-all",
    request_body(content = RevokeAllBody, example = json!({ "policy": "access" })),
    responses((status = 200, description = "Revoked, on every node", body = AllRevoked)))]
pub(crate) async fn revoke_all(
    State(state): State<AppState>,
    Member(caller): Member,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let RevokeAllBody { policy } = body::read_optional(&parts, body, &state).await?;
    let request = RevokeAll { owner: None, policy: Some(policy), reason: None, expect_count: None, dry_run: false };
    let revoked = state.service.revoke_all_tokens(&Manager::own(caller), request).await;
    let revoked = revoked.map_err(problem::of(&parts))?;
    let (count, receipt) = (revoked.counted.then_some(revoked.impact.changed), revoked.receipt);
    let message = "All Access Tokens have been revoked.";
    Ok(no_store(&AllRevoked { message, revoked: count, revocation: receipt }))
}

fn grant_id(text: &str) -> Result<GrantId, ApiFailure> {
    text.parse().ok().ok_or(ApiFailure::NotFound("token"))
}

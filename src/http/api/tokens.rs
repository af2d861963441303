//! `/api/v1/tokens…`

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::ids::GrantId;
use crate::domain::lifetime::Lifetime;
use crate::domain::policy::Credential;
use crate::http::caller::Member;
use crate::http::oauth_error::no_store_json;
use crate::http::page::{self, PageRequest};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, etag, json as body, problem};
use crate::service::catalog::AskedAssociations;
use crate::service::error::ApiFailure;
use crate::service::tokens::{
    CreateToken, CreatedToken, EndTokens, Ending, Manager, RevokeAll, Selected, TokenFilter, TokenView,
};
use crate::store::grant::GrantCursor;

/// The body of POST.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    policy: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    lifetime: Option<Lifetime>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    apis: Option<Vec<String>>,
    #[serde(default)]
    plans: Option<Vec<String>>,
    #[serde(default)]
    extra_fields: Map<String, Value>,
}

/// The body of a revocation; all of it may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokeBody {
    #[serde(default)]
    reason: Option<String>,
}

/// The body of revoke-all; all of it may be left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokeAllBody {
    #[serde(default = "access")]
    policy: String,
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
    let mut answer = Map::new();
    answer.insert("token".to_owned(), json!(TokenView::of(&created.grant, state.service.clock.now())));
    let name = if created.credential == Credential::Key { "api_key" } else { "access_token" };
    answer.insert(name.to_owned(), json!(issued.bearer.string.expose_secret()));
    answer.insert("expires_in".to_owned(), json!(issued.lifetime(&issued.bearer)));
    if let Some(refresh) = &issued.refresh {
        answer.insert("refresh_token".to_owned(), json!(refresh.string.expose_secret()));
        answer.insert("refresh_token_expires_in".to_owned(), json!(issued.lifetime(refresh)));
        answer.insert("client_id".to_owned(), json!(created.client_id));
        answer.insert("token_endpoint".to_owned(), json!(format!("{}/oauth20/token", state.wire.issuer)));
    }
    let mut response = no_store_json(Value::Object(answer).to_string());
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/tokens/{}", created.grant.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

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
    Ok(etag::tag(no_store_json(json!(view).to_string()), grant.version))
}

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
    let view = TokenView::of(&grant, state.service.clock.now());
    Ok(no_store_json(json!({ "token": view, "revocation": receipt }).to_string()))
}

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
    Ok(no_store_json(json!({ "message": message, "revoked": count, "revocation": receipt }).to_string()))
}

fn grant_id(text: &str) -> Result<GrantId, ApiFailure> {
    text.parse().ok().ok_or(ApiFailure::NotFound("token"))
}

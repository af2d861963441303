//! `/admin/v1/legacy-imports…`

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::ids::ImportId;
use crate::domain::legacy::Hashed;
use crate::domain::moment::Moment;
use crate::domain::scope::Scopes;
use crate::domain::secret::Secret;
use crate::http::caller::Admin;
use crate::http::dry_run::{DryRun, DryRunQuery};
use crate::http::oauth_error::no_store as answer;
use crate::http::openapi::texts::SchemeName;
use crate::http::page::{self, Page, PageQuery, PageRequest};
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, json as body, problem, revision};
use crate::service::error::ApiFailure;
use crate::service::legacy::{CreateImport, ImportView, Reach, UnmappedOwner};
use crate::service::revoke::Receipt;
use crate::store::legacy_import::{Import, ImportCursor};

/// The body of POST.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegacyImportCreate)]
struct CreateBody {
    /// What the older system is called; one import each
    #[schema(min_length = 1, max_length = 200)]
    source: String,
    /// How it kept its tokens
    #[schema(value_type = SchemeName)]
    scheme: String,
    deadline: Moment,
    #[serde(default)]
    hashed: Option<Hashed>,
    #[serde(default)]
    separator: Option<String>,
    #[serde(default)]
    hmac_key: Option<String>,
    #[serde(default)]
    hmac_key_base64: Option<String>,
    #[serde(default)]
    deprecated_at: Option<Moment>,
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    #[schema(value_type = Scopes)]
    scopes: Vec<String>,
    #[serde(default)]
    policy: Option<String>,
    #[serde(default)]
    unmapped_owner: Option<UnmappedOwner>,
}

/// The body of an extension.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegacyImportExtend)]
struct ExtendBody {
    deadline: Moment,
}

/// The answer to an extension.
#[derive(Serialize, ToSchema)]
#[schema(as = LegacyImportExtended)]
struct Extended<'a> {
    import: ImportView<'a>,
    revocation: Receipt,
}

/// The answer to DELETE.
#[derive(Serialize, ToSchema)]
#[schema(as = LegacyImportRevoked)]
struct Revoked<'a> {
    dry_run: bool,
    import: ImportView<'a>,
    #[serde(flatten)]
    reach: Reach,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<Receipt>,
}

/// Make an import of tokens of an older system
///
/// Its rows are sent afterwards, as a stream. The key of hmac-sha256 is kept encrypted and never told again.
#[utoipa::path(post, path = "/admin/v1/legacy-imports",
    request_body(content = CreateBody, example = json!({ "source": "old gateway", "scheme": "sha256",
        "deadline": "2027-03-01T00:00:00Z", "scopes": ["orders:read"] })),
    responses(
        (status = 201, description = "Made; it takes rows", body = ImportView<'static>),
        (status = 409, description = "There is an import of this source"),
    ))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let request: CreateBody = body::read(&parts, body, &state).await?;
    let request = CreateImport {
        source: request.source,
        scheme: request.scheme,
        deadline: request.deadline,
        hashed: request.hashed,
        separator: request.separator,
        hmac_key: request.hmac_key.map(Secret::new),
        hmac_key_base64: request.hmac_key_base64.map(Secret::new),
        deprecated_at: request.deprecated_at,
        link: request.link,
        scopes: request.scopes,
        policy: request.policy,
        unmapped_owner: request.unmapped_owner,
    };
    let import = state.service.create_import(&caller, request).await.map_err(problem::of(&parts))?;
    let mut response = answer(&view(&state, &caller, &import));
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::try_from(format!("/admin/v1/legacy-imports/{}", import.new.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// List the workspace's imports, newest first
#[utoipa::path(get, path = "/admin/v1/legacy-imports", params(PageQuery),
    responses((status = 200, description = "A page", body = Page<'static, ImportView<'static>>)))]
pub(crate) async fn list(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let page = PageRequest::read(&parts.uri).map_err(problem::of(&parts))?;
    let after = page
        .after
        .map_or(ImportCursor::START, |(created_at, id)| ImportCursor { created_at, id: ImportId::from_bytes(id) });
    let listed = state.service.list_imports(&caller, after, page.limit).await;
    let (imports, next) = listed.map_err(problem::of(&parts))?;
    let views: Vec<ImportView<'_>> = imports.iter().map(|import| view(&state, &caller, import)).collect();
    let next = next.map(|cursor| (cursor.created_at, *cursor.id.as_bytes()));
    Ok(page::respond(&parts.uri, page.limit, &views, next))
}

/// Show an import, and how far it has come
#[utoipa::path(get, path = "/admin/v1/legacy-imports/{import}", params(("import" = ImportId, Path)),
    responses((status = 200, description = "The import", body = ImportView<'static>)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = import_id(&id).map_err(problem::of(&parts))?;
    let import = state.service.find_workspace_import(&caller, id).await.map_err(problem::of(&parts))?;
    Ok(answer(&view(&state, &caller, &import)))
}

/// Move the deadline of an import
///
/// In force at once and on every node, also after the deadline has passed.
#[utoipa::path(post, path = "/admin/v1/legacy-imports/{import}/extend", params(("import" = ImportId, Path)),
    request_body(content = ExtendBody, example = json!({ "deadline": "2027-03-01T00:00:00Z" })),
    responses(
        (status = 200, description = "Extended", body = Extended<'static>),
        (status = 409, description = "The import is revoked or purged"),
    ))]
pub(crate) async fn extend(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(id): Segment,
    request: Request,
) -> Answer {
    let (parts, body) = request.into_parts();
    let ExtendBody { deadline } = body::read(&parts, body, &state).await?;
    let id = import_id(&id).map_err(problem::of(&parts))?;
    let extended = state.service.extend_import(&caller, id, deadline).await;
    let (import, revocation) = extended.map_err(problem::of(&parts))?;
    let response = answer(&Extended { import: view(&state, &caller, &import), revocation });
    Ok(revision::with(response, revocation.revision))
}

/// Revoke every token of an import, or tell how many that would be
#[utoipa::path(delete, path = "/admin/v1/legacy-imports/{import}", params(("import" = ImportId, Path), DryRunQuery),
    responses((status = 200, description = "Revoked, on every node", body = Revoked<'static>)))]
pub(crate) async fn delete(
    State(state): State<AppState>,
    Admin(caller): Admin,
    DryRun(dry_run): DryRun,
    Segment(id): Segment,
    parts: Parts,
) -> Answer {
    let id = import_id(&id).map_err(problem::of(&parts))?;
    let (import, reach) = state.service.reach_of_import(&caller, id).await.map_err(problem::of(&parts))?;
    if dry_run {
        let import = view(&state, &caller, &import);
        return Ok(answer(&Revoked { dry_run, import, reach, revocation: None }));
    }
    let (import, receipt) = state.service.revoke_import(&caller, id).await.map_err(problem::of(&parts))?;
    let import = view(&state, &caller, &import);
    let response = answer(&Revoked { dry_run, import, reach, revocation: Some(receipt) });
    Ok(revision::with(response, receipt.revision))
}

fn view<'a>(state: &AppState, caller: &'a crate::service::caller::Caller, import: &'a Import) -> ImportView<'a> {
    ImportView::of(import, caller.workspace_name(), state.service.clock.now())
}

pub(super) fn import_id(text: &str) -> Result<ImportId, ApiFailure> {
    text.parse().ok().ok_or(ApiFailure::NotFound("import"))
}

//! `/admin/v1/revocations/{revision}`: how far a revocation has come.

use axum::extract::State;
use axum::http::request::Parts;

use crate::domain::grant::Revision;
use crate::http::caller::Admin;
use crate::http::oauth_error::no_store;
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, problem};
use crate::service::error::ApiFailure;
use crate::service::revocation_status::RevocationStatus;

/// Show how far a revocation has come
#[utoipa::path(get, path = "/admin/v1/revocations/{revision}", params(("revision" = Revision, Path)),
    responses((status = 200, description = "The nodes that have it in force, and those that are not known to",
        body = RevocationStatus)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(revision): Segment,
    parts: Parts,
) -> Answer {
    let number = Some(&revision).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let revision = number.and_then(|text| text.parse().ok()).map(Revision::new);
    let revision = revision.ok_or(ApiFailure::NotFound("revocation")).map_err(problem::of(&parts))?;
    let status = state.service.revocation_status(&caller, revision).await.map_err(problem::of(&parts))?;
    Ok(no_store(&status))
}

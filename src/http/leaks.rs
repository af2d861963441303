//! `POST /leaks`: for whoever has found tokens where they must not be.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::openapi::texts::{FoundAt, FoundToken};
use super::path::NoQuery;
use super::{Answer, AppState, context, json, oauth_error, problem};
use crate::service::leaks::LeakReport;

/// What was found.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LeakReport)]
pub(crate) struct ReportBody {
    #[schema(value_type = Vec<FoundToken>, min_items = 1, max_items = 100)]
    tokens: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Option<FoundAt>)]
    source: Option<String>,
}

/// The same for every report.
#[derive(Serialize, ToSchema)]
#[schema(as = LeakReceipt)]
pub(crate) struct Taken {
    /// How many strings were taken in; nothing is said of what they are
    #[schema(minimum = 1)]
    received: usize,
}

/// Report tokens that were found where they must not be
///
/// Whoever holds a token may hand it in: if it is alive it is revoked. The answer is the same whatever the strings are, and comes
/// at the same time.
#[utoipa::path(post, path = "/leaks",
    request_body(content = ReportBody, example = json!({
        "tokens": ["jtn_a_of_nobody"], "source": "https://git.example/acme/app/blob/1f2e3d/config.env#L7",
    })),
    responses(
        (status = 202, description = "Taken in; what is alive is being revoked, or is revoked already", body = Taken),
        (status = 400, description = ""),
        (status = 429, description = ""),
        (status = 503, description = ""),
    ))]
pub(crate) async fn report(State(state): State<AppState>, _: NoQuery, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let ReportBody { tokens, source } = json::read(&parts, body, &state).await?;
    let received = tokens.len();
    let report = LeakReport::read(tokens, source).map_err(problem::of(&parts))?;
    state.service.take_leak_report(report, context::of(&parts, &state)).await.map_err(problem::of(&parts))?;
    let mut response = oauth_error::no_store(&Taken { received });
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

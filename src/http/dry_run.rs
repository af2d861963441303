//! `?dry_run=true`: what a destructive request would do, without doing it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use utoipa::IntoParams;

use super::AppState;
use super::context::RequestInfo;
use super::list_query::ListQuery;
use super::problem;

/// What a destructive request takes in its URL.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what DryRun reads")]
pub(crate) struct DryRunQuery {
    /// Answer what would change, and change nothing
    #[param(default = false)]
    dry_run: Option<bool>,
}

/// The only parameter of a destructive request. Anything else in the URL is refused.
pub(super) struct DryRun(pub bool);

impl FromRequestParts<AppState> for DryRun {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Response> {
        let read = ListQuery::filters(&parts.uri, &["dry_run"]).and_then(|query| query.flag("dry_run"));
        let flag = read.map_err(|failure| problem::failure(&failure, parts.extensions.get::<RequestInfo>()))?;
        Ok(Self(flag.unwrap_or(false)))
    }
}

//! `/admin/v1/explain`

use axum::extract::State;
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::http::caller::Admin;
use crate::http::list_query::ListQuery;
use crate::http::oauth_error::no_store;
use crate::http::openapi::texts::FilterText;
use crate::http::{Answer, AppState, problem};
use crate::service::error::{ApiFailure, FieldError};
use crate::service::explain::{ExplanationView, Question};

/// One of the two is given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the handler reads")]
struct ExplainQuery {
    /// The X-Request-Id of the refused answer
    request_id: Option<FilterText>,
    /// The id of a token as lists show it, or the jti of a token string; never a token itself
    #[param(max_length = 26)]
    token_id: Option<String>,
}

/// Tell why a request was refused, or what has happened to a token
#[utoipa::path(get, path = "/admin/v1/explain", params(ExplainQuery),
    responses(
        (status = 200, description = "The rules and the timeline", body = ExplanationView<'static>),
        (status = 404, description = "It is unknown, of another workspace, or was not refused"),
    ))]
pub(crate) async fn show(State(state): State<AppState>, Admin(caller): Admin, parts: Parts) -> Answer {
    let question = question(&parts).map_err(problem::of(&parts))?;
    let explained = state.service.explain(&caller, question).await.map_err(problem::of(&parts))?;
    Ok(no_store(&ExplanationView::of(&explained, state.service.clock.now())))
}

fn question(parts: &Parts) -> Result<Question, ApiFailure> {
    let query = ListQuery::filters(&parts.uri, &["request_id", "token_id"])?;
    let bad = |detail: &str| ApiFailure::Invalid(vec![FieldError::new("?token_id", detail)]);
    match (query.text("request_id")?, query.text("token_id")?) {
        (Some(id), None) => Ok(Question::Request(id)),
        (None, Some(id)) => {
            id.parse().map(Question::Grant).or_else(|_| id.parse().map(Question::Token)).or(Err(bad(
                "is the id of a token as lists show it, or the jti of a token string; never a token itself",
            )))
        }
        (None, None) => Err(bad("give either this or request_id")),
        (Some(_), Some(_)) => Err(bad("is one way to ask, request_id the other: give one of them")),
    }
}

//! `/admin/v1/policies…`

use axum::extract::State;
use axum::http::request::Parts;

use crate::http::caller::{Admin, Member, Operator};
use crate::http::dry_run::{DryRun, DryRunQuery};
use crate::http::oauth_error::no_store;
use crate::http::page::Page;
use crate::http::path::{NoQuery, Segment};
use crate::http::{Answer, AppState, problem};
use crate::service::policies::{PolicyHistoryView, PolicyView};
use crate::service::policy_apply::AppliedPolicy;

/// List the policies with their bounds
#[utoipa::path(get, path = "/api/v1/policies",
    responses((status = 200, description = "All of them", body = Page<'static, PolicyView<'static>>)))]
pub(crate) async fn list(State(state): State<AppState>, Member(caller): Member, _: NoQuery) -> Answer {
    // All of them: an operator has a handful.
    Ok(no_store(&Page { data: &state.service.list_policies(&caller), next_cursor: None }))
}

/// List the policies with their bounds
#[utoipa::path(get, path = "/admin/v1/policies",
    responses((status = 200, description = "All of them", body = Page<'static, PolicyView<'static>>)))]
pub(crate) async fn list_for_admin(state: State<AppState>, Admin(caller): Admin, query: NoQuery) -> Answer {
    list(state, Member(caller), query).await
}

/// Show a policy with the rules that it has had
#[utoipa::path(get, path = "/admin/v1/policies/{name}", params(("name" = String, Path)),
    responses((status = 200, description = "The policy", body = PolicyHistoryView<'static>)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Admin(caller): Admin,
    _: NoQuery,
    Segment(name): Segment,
    parts: Parts,
) -> Answer {
    let (policy, snapshots) = state.service.find_policy(&caller, &name).await.map_err(problem::of(&parts))?;
    Ok(no_store(&PolicyHistoryView::of(policy, &snapshots)))
}

/// Put living tokens of the policy, in every workspace, under the rules in force
///
/// Tokens keep the rules that they were made under until this is called. With `dry_run=true` the answer tells how many
/// would be changed.
#[utoipa::path(post, path = "/admin/v1/policies/{name}/apply", params(("name" = String, Path), DryRunQuery),
    responses((status = 200, description = "Applied, on every node; or what would be", body = AppliedPolicy)))]
pub(crate) async fn apply(
    State(state): State<AppState>,
    Operator(operator): Operator,
    DryRun(dry_run): DryRun,
    Segment(name): Segment,
    parts: Parts,
) -> Answer {
    let applied = state.service.apply_policy(&operator, &name, dry_run).await.map_err(problem::of(&parts))?;
    Ok(no_store(&applied))
}

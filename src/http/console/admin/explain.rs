//! `/console/admin/explain`: why a request was refused, and what has happened to a token.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::domain::grant::{Owner, Status};
use crate::domain::refusal::Rule;
use crate::http::console::failure;
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::pager;
use crate::http::console::respond::html_with;
use crate::http::console::token_list::{owner_name, status_key, status_name};
use crate::http::{Answer, AppState};
use crate::service::error::ApiFailure;
use crate::service::explain::{Explanation, ExplanationView, Moment, Question};

#[derive(Template)]
#[template(path = "console/admin/explain.html")]
struct ExplainPage<'a> {
    page: &'a Page,
    /// What was asked about.
    q: &'a str,
    problem: Option<&'static str>,
    answer: Option<ExplanationView<'a>>,
}

/// Ids in links are public; what somebody types may be a token, which must not get into an address.
pub(crate) async fn show(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let (request, token) = (pager::value(&parts.uri, "request_id"), pager::value(&parts.uri, "token_id"));
    let q = if request.is_empty() { token } else { request };
    answer(&state, &me, &q).await
}

pub(crate) async fn ask(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    answer(&state, &me, fields.text("q")).await
}

async fn answer(state: &AppState, me: &Me, q: &str) -> Answer {
    let page = &me.page(Area::Explain);
    let shown = |status, q: &str, problem, explained: Option<&Explanation>| {
        let now = state.service.clock.now();
        let answer = explained.map(|explained| ExplanationView::of(explained, now));
        html_with(status, &ExplainPage { page, q, problem, answer })
    };
    if q.is_empty() {
        return Ok(shown(StatusCode::OK, q, None, None));
    }
    if state.service.codec.parse(q).is_ok() {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, "", Some("explain-is-a-token"), None));
    }
    match state.service.explain(me.caller(), question(q)).await {
        Ok(explained) => Ok(shown(StatusCode::OK, q, None, Some(&explained))),
        Err(ApiFailure::NotFound(_)) => Ok(shown(StatusCode::NOT_FOUND, q, Some("explain-unknown"), None)),
        Err(failure) => Err(failure::of(page, &failure)),
    }
}

/// An id of a token, by its form; else that of a request.
fn question(q: &str) -> Question {
    q.parse()
        .map(Question::Grant)
        .or_else(|_| q.parse().map(Question::Token))
        .unwrap_or_else(|_| Question::Request(q.to_owned()))
}

pub(super) const fn rule_key(rule: Rule) -> &'static str {
    match rule {
        Rule::Missing => "rule-missing",
        Rule::Malformed => "rule-malformed",
        Rule::Tag => "rule-tag",
        Rule::Unknown => "rule-unknown",
        Rule::Kind => "rule-kind",
        Rule::Expired => "rule-expired",
        Rule::Revoked => "rule-revoked",
        Rule::CutOffOwner => "rule-cut-off-owner",
        Rule::CutOffClient => "rule-cut-off-client",
        Rule::CutOffWorkspace => "rule-cut-off-workspace",
        Rule::ParentDead => "rule-parent-dead",
        Rule::Disabled => "rule-disabled",
        Rule::Replaced => "rule-replaced",
        Rule::OtherWorkspace => "rule-other-workspace",
        Rule::Scope => "rule-scope",
        Rule::NotCovered => "rule-not-covered",
        Rule::PlanLimit => "rule-plan-limit",
        Rule::NotAllowed => "rule-not-allowed",
    }
}

impl ExplainPage<'_> {
    fn rule(&self, rule: &Rule) -> &'static str {
        rule_key(*rule)
    }

    fn status(&self, status: &Status) -> (&'static str, &'static str) {
        (status_name(*status), status_key(*status))
    }

    fn owner<'o>(&self, owner: &'o Owner) -> &'o str {
        owner_name(owner)
    }

    /// What happened, in words where it is not an act of the audit log.
    fn event(&self, moment: &Moment) -> String {
        let key = match moment.event.as_str() {
            "issued" => "event-issued",
            "token_issued" => "event-token-issued",
            "used" => "event-used",
            "expired" => "event-expired",
            "cut_off" => "event-cut-off",
            "refused" => "event-refused",
            act => return act.to_owned(),
        };
        self.page.t(key).into_owned()
    }

    fn detail(&self, moment: &Moment) -> String {
        moment.detail.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

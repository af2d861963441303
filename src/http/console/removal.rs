//! Deleting something that tokens hang on: first what that would change, from the same question that the act asks.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::ending::MASS;
use super::fields::Fields;
use super::page::Page;
use super::respond::{html, html_with};
use crate::service::reach::ReachView;

/// The page that asks.
#[derive(Template)]
#[template(path = "console/removal.html")]
pub(super) struct Removal<'a> {
    pub page: &'a Page,
    /// The question, with the name in it.
    pub title: String,
    /// What it means.
    pub meaning: &'static str,
    /// What the number of tokens says.
    pub counted_as: &'static str,
    /// The label of the button.
    pub verb: &'static str,
    pub reach: &'a ReachView,
    /// The list that it belongs to: its title and its path.
    pub list: (&'static str, &'static str),
    pub action: String,
    pub back: String,
    pub typed_wrong: bool,
}

impl Removal<'_> {
    /// Whether the number has to be typed.
    fn is_typed(&self) -> bool {
        self.reach.tokens >= MASS
    }

    pub(super) fn respond(&self) -> Response {
        if self.typed_wrong { html_with(StatusCode::UNPROCESSABLE_ENTITY, self) } else { html(self) }
    }
}

/// Whether the form says yes to what was shown: the number of tokens is typed where there are many.
pub(super) fn is_confirmed(fields: &Fields) -> bool {
    let shown = fields.text("expected").parse::<u64>();
    shown.is_ok_and(|shown| shown < MASS || fields.text("typed") == shown.to_string())
}

//! Ending all of something at once: first what that would change, from the same question that the act asks; then only
//! that, by whoever has seen it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::ending::MASS;
use super::fields::Fields;
use super::page::Page;
use super::respond::{html, html_with};
use super::token_list::owner_name;
use crate::domain::clock::Timestamp;
use crate::domain::grant::Grant;
use crate::domain::ids::GrantId;
use crate::service::reach::ReachView;

/// The page that asks.
#[derive(Template)]
#[template(path = "console/removal.html")]
pub(super) struct Removal {
    pub page: Page,
    /// The question, with the name in it.
    pub title: String,
    /// What it means.
    pub meaning: &'static str,
    /// What is spared, or empty.
    pub spared: &'static str,
    /// What the number of tokens says.
    pub counted_as: &'static str,
    /// The label of the button.
    pub verb: &'static str,
    pub reach: Reached,
    /// The list that it belongs to: its title and its path.
    pub list: (&'static str, String),
    pub action: String,
    pub back: String,
    /// Why the question is asked again.
    pub objection: Option<&'static str>,
}

/// What it reaches.
pub(super) struct Reached {
    pub tokens: u64,
    pub used_last_7_days: u64,
    /// False where there are more than were counted.
    pub counted_all: bool,
    /// How many people and clients they belong to, where that is not one whose name is in the question.
    pub owners: Option<u64>,
    /// Those that were used last.
    pub recent: Vec<Recent>,
}

/// A token that is in use.
pub(super) struct Recent {
    id: GrantId,
    title: String,
    /// Empty where all belong to one.
    owner: String,
    last_used_at: Timestamp,
}

impl From<ReachView> for Reached {
    fn from(reach: ReachView) -> Self {
        let recent = reach.recently_used.into_iter().map(|used| Recent {
            title: used.name.unwrap_or_else(|| used.id.to_string()),
            owner: String::new(),
            id: used.id,
            last_used_at: used.last_used_at,
        });
        Self {
            tokens: reach.tokens,
            used_last_7_days: reach.used_last_7_days,
            counted_all: reach.counted_all,
            owners: None,
            recent: recent.collect(),
        }
    }
}

impl Recent {
    /// One of several owners' tokens; `None` if it was never used.
    pub(super) fn of(grant: &Grant) -> Option<Self> {
        Some(Self {
            id: grant.id,
            title: grant.name.clone().unwrap_or_else(|| grant.id.to_string()),
            owner: owner_name(&grant.owner).to_owned(),
            last_used_at: grant.last_used_at?,
        })
    }
}

impl Removal {
    pub(super) fn ask(&self) -> Response {
        html(self)
    }

    /// The question again, unless the form says yes to what it is now: it names the number that was shown, and where that
    /// is a large one, somebody has typed it.
    pub(super) fn asked_again(mut self, fields: &Fields) -> Option<Response> {
        let shown = fields.text("expected").parse() == Ok(self.reach.tokens);
        let typed = !self.is_typed() || fields.text("typed").trim() == self.reach.tokens.to_string();
        self.objection = match (shown, typed) {
            (true, true) => return None,
            (true, false) => Some("typed-wrong"),
            (false, _) => Some("count-changed"),
        };
        Some(html_with(StatusCode::UNPROCESSABLE_ENTITY, &self))
    }

    /// Whether the number has to be typed.
    fn is_typed(&self) -> bool {
        self.reach.tokens >= MASS
    }

    fn has_owners(&self) -> bool {
        self.reach.recent.iter().any(|recent| !recent.owner.is_empty())
    }
}

//! `/console/admin`: how much goes on in the workspace, in pictures and in numbers.

use askama::Template;
use axum::extract::State;

use super::explain::rule_key;
use crate::domain::clock::Timestamp;
use crate::http::console::chart::{self, Bar, HEIGHT, LONGEST, WIDTH};
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::respond::html;
use crate::http::console::tags::DayOfMonth;
use crate::http::{Answer, AppState};
use crate::service::overview::{LiveCount, Overview};

#[derive(Template)]
#[template(path = "console/admin/overview.html")]
struct OverviewPage<'a> {
    page: &'a Page,
    pictures: [Picture; 2],
    /// Why requests were refused: a key, how many, and how long the bar is.
    refused: Vec<(&'static str, u64, u32)>,
    live: Option<Live<'a>>,
    /// The end of what ends soon, as a filter takes it.
    soon: String,
}

/// A picture of days.
struct Picture {
    id: &'static str,
    title: &'static str,
    lead: &'static str,
    total: u64,
    most: u64,
    days: Vec<(DayOfMonth, u64, Bar)>,
}

/// Live tokens by policy.
struct Live<'a> {
    count: &'a LiveCount,
    total: u64,
    /// A policy, how many, and how long the bar is.
    policies: Vec<(&'a str, u64, u32)>,
}

const WEEK: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);

pub(crate) async fn show(State(state): State<AppState>, me: Me) -> Answer {
    let page = &me.page(Area::Overview);
    let overview = state.service.overview(me.caller()).await.map_err(me.failed())?;
    let most = overview.refused.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let refused = overview.refused.iter();
    let soon = state.service.clock.now().plus(WEEK).to_string();
    let template = OverviewPage {
        page,
        pictures: pictures(page, &overview),
        refused: refused.map(|(rule, count)| (rule_key(*rule), *count, chart::scaled(*count, most, LONGEST))).collect(),
        live: overview.live.as_ref().map(Live::of),
        soon: soon.get(..10).unwrap_or_default().to_owned(),
    };
    Ok(html(&template))
}

fn pictures(page: &Page, overview: &Overview) -> [Picture; 2] {
    let days = |value: fn(&crate::service::overview::Day) -> u64| -> Vec<(Timestamp, u64)> {
        overview.days.iter().map(|day| (day.at, value(day))).collect()
    };
    [
        Picture::of(page, "issued", "figure-issued", "figure-issued-lead", &days(|day| day.issued)),
        Picture::of(page, "validated", "figure-validated", "figure-validated-lead", &days(|day| day.validated)),
    ]
}

impl Picture {
    fn of(page: &Page, id: &'static str, title: &'static str, lead: &'static str, days: &[(Timestamp, u64)]) -> Self {
        let values: Vec<u64> = days.iter().map(|(_, value)| *value).collect();
        let bars = chart::days(&values);
        let day = |at: &Timestamp| DayOfMonth { at: *at, language: page.language };
        Self {
            id,
            title,
            lead,
            total: values.iter().sum(),
            most: values.iter().max().copied().unwrap_or(0),
            days: days.iter().zip(bars).map(|((at, value), bar)| (day(at), *value, bar)).collect(),
        }
    }
}

impl<'a> Live<'a> {
    fn of(count: &'a LiveCount) -> Self {
        let most = count.policies.iter().map(|(_, live)| *live).max().unwrap_or(0);
        let policies = count.policies.iter();
        Self {
            count,
            total: count.policies.iter().map(|(_, live)| live).sum(),
            policies: policies
                .map(|(name, live)| (name.as_str(), *live, chart::scaled(*live, most, LONGEST)))
                .collect(),
        }
    }
}

impl OverviewPage<'_> {
    const fn width(&self) -> u32 {
        WIDTH
    }

    const fn height(&self) -> u32 {
        HEIGHT
    }

    const fn longest(&self) -> u32 {
        LONGEST
    }
}

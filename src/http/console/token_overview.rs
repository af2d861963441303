//! One token: *Basic info*, *APIs and Plans*, and what can be done with it. The same page for its owner and for
//! administrators.

use askama::Template;
use axum::response::Response;

use super::gate::Me;
use super::page::Page;
use super::respond::html;
use super::token_list::Row;
use super::{done, failure};
use crate::domain::grant::{Grant, Origin, Status};
use crate::domain::ids::GrantId;
use crate::domain::policy::Policy;
use crate::http::AppState;
use crate::service::tokens::Manager;

/// Under which address, and with which rights, a token is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Own,
    Workspace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Basic,
    Associations,
}

#[derive(Template)]
#[template(path = "console/token_overview.html")]
struct OverviewPage<'a> {
    page: &'a Page,
    row: Row<'a>,
    grant: &'a Grant,
    extra: Vec<(String, String)>,
    tab: Tab,
    whose: Whose,
    base: &'static str,
    done: Option<&'static str>,
    /// The policy lets it be revoked here.
    revocable: bool,
    can_end: bool,
    can_edit: bool,
    /// The HTTP call that revokes a token that an OAuth flow has made.
    issuer: &'a str,
}

const DONE: [&str; 3] = ["token-edited", "token-revoked", "token-disabled"];

impl Whose {
    pub(super) const fn base(self) -> &'static str {
        match self {
            Self::Own => "/console/tokens",
            Self::Workspace => "/console/admin/tokens",
        }
    }
}

pub(super) async fn show(
    state: &AppState,
    me: &Me,
    page: &Page,
    manager: &Manager,
    whose: Whose,
    id: &str,
    tab: Tab,
) -> Result<Response, Response> {
    let grant = find(state, me, manager, id).await?;
    let policy = state.service.policy_of(&grant).await.map_err(|error| failure::of(page, &error.into()))?;
    let now = state.service.clock.now();
    let status = grant.status(now);
    let revocable = policy.as_deref().is_none_or(|policy: &Policy| policy.rules.rest_revoke);
    let uri = page.path.parse().unwrap_or_default();
    let extra = grant.extra_fields.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
    let template = OverviewPage {
        page,
        row: Row::new(&grant, now),
        grant: &grant,
        extra,
        tab,
        whose,
        base: whose.base(),
        done: done::of(&uri, &DONE),
        revocable,
        can_end: matches!(status, Status::Active | Status::Disabled),
        can_edit: whose == Whose::Workspace && status == Status::Active,
        issuer: &state.wire.issuer,
    };
    Ok(html(&template))
}

pub(super) async fn find(state: &AppState, me: &Me, manager: &Manager, id: &str) -> Result<Grant, Response> {
    let Ok(id) = id.parse::<GrantId>() else {
        return Err(failure::nothing_here(&me.page));
    };
    state.service.find_token(manager, id).await.map_err(me.failed())
}

/// A value of an extra field: texts without their quotes.
pub(super) fn shown(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

impl OverviewPage<'_> {
    fn origin_key(&self) -> &'static str {
        match self.grant.origin {
            Origin::Api => "origin-api",
            Origin::Admin => "origin-admin",
            Origin::Console => "origin-console",
            Origin::Oauth => "origin-oauth",
            Origin::Import => "origin-import",
        }
    }

    fn tab_current(&self, basic: bool) -> &'static str {
        if (self.tab == Tab::Basic) == basic { "page" } else { "false" }
    }
}

//! `/console/admin/policies`: the rules that tokens are issued under, to read; they are changed in the configuration.

use askama::Template;
use axum::extract::State;

use crate::domain::policy::{Credential, OnDisable, RevokeReach};
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::respond::html;
use crate::http::{Answer, AppState};
use crate::service::policies::PolicyView;

#[derive(Template)]
#[template(path = "console/admin/policies.html")]
struct PoliciesPage<'a> {
    page: &'a Page,
    policies: &'a [PolicyView<'a>],
}

pub(crate) async fn list(State(state): State<AppState>, me: Me) -> Answer {
    let policies = state.service.list_policies(me.caller());
    Ok(html(&PoliciesPage { page: &me.page(Area::Policies), policies: &policies }))
}

impl PoliciesPage<'_> {
    fn credential(&self, policy: &PolicyView<'_>) -> &'static str {
        match policy.credential {
            Credential::Access => "credential-access",
            Credential::Pair => "credential-pair",
            Credential::Key => "credential-key",
        }
    }

    /// From the shortest to the longest, as far as there are such.
    fn lifetime(&self, policy: &PolicyView<'_>) -> String {
        match (policy.min_lifetime.seconds, policy.max_lifetime.seconds) {
            (_, None) => self.page.t("no-end").into_owned(),
            (None | Some(0), Some(max)) => self.page.with("policy-at-most", "max", self.page.span(max)).into_owned(),
            (Some(min), Some(max)) => format!("{} – {}", self.page.span(min), self.page.span(max)),
        }
    }

    fn access(&self, policy: &PolicyView<'_>) -> String {
        match policy.access_lifetime.seconds {
            Some(seconds) => self.page.span(seconds).to_string(),
            None => self.page.t("policy-whole").into_owned(),
        }
    }

    fn revoke(&self, policy: &PolicyView<'_>) -> &'static str {
        match (policy.rest_revoke, policy.revoke) {
            (false, _) => "revokes-by-http",
            (true, RevokeReach::Grant) => "revokes-one",
            (true, RevokeReach::Owner) => "revokes-all",
        }
    }

    fn disable(&self, policy: &PolicyView<'_>) -> &'static str {
        match policy.on_disable {
            OnDisable::RefreshOnly => "disables-refresh",
            _ => "disables-all",
        }
    }
}

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

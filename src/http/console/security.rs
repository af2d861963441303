//! `/console/security`: short-lived access tokens, and the API keys beside them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::fields::Fields;
use super::gate::Me;
use super::menu::Area;
use super::page::Page;
use super::removal::{Reached, Removal};
use super::respond::{html, html_with, see_other};
use super::secret_page::{self, Wanted};
use super::token_list::Row;
use super::tokens::own_policies;
use super::{done, failure};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Status};
use crate::domain::lifetime::Lifetime;
use crate::domain::policy::{Credential, Policy};
use crate::http::{Answer, AppState};
use crate::service::tokens::{Manager, RevokeAll, TokenFilter};
use crate::store::grant::GrantCursor;

#[derive(Template)]
#[template(path = "console/security.html")]
struct SecurityPage<'a> {
    page: &'a Page,
    allowed: bool,
    access: Option<Bounds>,
    access_form: String,
    tokens: Vec<Row<'a>>,
    more_tokens: bool,
    has_keys: bool,
    key_form: String,
    keys: Vec<Row<'a>>,
    more_keys: bool,
    done: Option<&'static str>,
    access_error: Option<String>,
    key_error: Option<String>,
    lifetime: &'a str,
    unit: &'a str,
    key_name: &'a str,
}

/// Between which lengths one may choose.
struct Bounds {
    min: u32,
    max: u32,
}

/// What was typed and what is wrong with it.
#[derive(Default)]
struct Typed<'a> {
    lifetime: Option<(&'a str, &'a str)>,
    key_name: &'a str,
    access_error: Option<String>,
    key_error: Option<String>,
}

/// What may have been done before the page is shown.
const DONE: [&str; 3] = ["all-revoked", "token-revoked", "token-deleted"];
/// Shown on this page; the rest is in the list of all.
const SHOWN: u32 = 8;

pub(crate) async fn show(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    page(&state, &me, done::of(&parts.uri, &DONE), Typed::default()).await
}

pub(crate) async fn create_access_token(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let frame = me.page(Area::Security);
    let Some(policy) = own_policies(&state.service, Credential::Access).into_iter().next() else {
        return Err(failure::nothing_here(&frame));
    };
    let (lifetime, unit) = (fields.text("lifetime"), fields.text("unit"));
    let factor = if unit == "hours" { 3_600 } else { 60 };
    let seconds = lifetime.parse::<u32>().ok().and_then(|count| count.checked_mul(factor));
    let wanted = Wanted { policy, name: "", lifetime: seconds, scopes: "", back: "/console/security" };
    let mut error = None;
    let made = secret_page::create(&state, &me, &frame, &fields, &wanted, |text| {
        error = Some(text);
        Response::default()
    })
    .await;
    if error.is_none() {
        return made;
    }
    let typed = Typed { lifetime: Some((lifetime, unit)), access_error: error, ..Typed::default() };
    page(&state, &me, None, typed).await
}

pub(crate) async fn create_key(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let frame = me.page(Area::Security);
    let Some(policy) = own_policies(&state.service, Credential::Key).into_iter().next() else {
        return Err(failure::nothing_here(&frame));
    };
    let name = fields.text("name");
    let wanted = Wanted { policy, name, lifetime: None, scopes: "", back: "/console/security" };
    let mut error = None;
    let made = secret_page::create(&state, &me, &frame, &fields, &wanted, |text| {
        error = Some(text);
        Response::default()
    })
    .await;
    if error.is_none() {
        return made;
    }
    page(&state, &me, None, Typed { key_name: name, key_error: error, ..Typed::default() }).await
}

/// What revoking all would do.
pub(crate) async fn confirm_revoke_all(State(state): State<AppState>, me: Me) -> Answer {
    Ok(removal(&state, &me).await?.ask())
}

pub(crate) async fn revoke_all_access_tokens(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    if let Some(asked_again) = removal(&state, &me).await?.asked_again(&fields) {
        return Ok(asked_again);
    }
    revoke_all(&state, &me, false).await?;
    Ok(see_other("/console/security?done=all-revoked"))
}

async fn removal(state: &AppState, me: &Me) -> Result<Removal, Response> {
    let (page, all) = (me.page(Area::Security), revoke_all(state, me, true).await?);
    let reach = Reached {
        tokens: all.impact.changed,
        used_last_7_days: all.impact.used_last_7_days,
        counted_all: all.counted,
        owners: None,
        recent: Vec::new(),
    };
    Ok(Removal {
        title: page.t("revoke-all-title").into_owned(),
        meaning: "revoke-all-warning",
        spared: "revoke-all-keys",
        counted_as: "tokens-ended",
        verb: "revoke-all",
        reach,
        list: ("security", "/console/security".to_owned()),
        action: "/console/security/revoke-all".to_owned(),
        back: "/console/security".to_owned(),
        objection: None,
        page,
    })
}

async fn revoke_all(state: &AppState, me: &Me, dry_run: bool) -> Result<crate::service::tokens::AllRevoked, Response> {
    let Some(policy) = own_policies(&state.service, Credential::Access).into_iter().next() else {
        return Err(failure::nothing_here(&me.page));
    };
    let policy = Some(policy.name.to_string());
    let request = RevokeAll { owner: None, policy, reason: None, expect_count: None, dry_run };
    let manager = Manager::own(me.caller().clone());
    state.service.revoke_all_tokens(&manager, request).await.map_err(me.failed())
}

async fn page(state: &AppState, me: &Me, done: Option<&'static str>, typed: Typed<'_>) -> Answer {
    let (service, frame) = (&state.service, me.page(Area::Security));
    let access = own_policies(service, Credential::Access);
    let keys = own_policies(service, Credential::Key);
    let (tokens, more_tokens) = active(state, me, &access).await?;
    let (key_grants, more_keys) = active(state, me, &keys).await?;
    let now = service.clock.now();
    let bounds = access.first().map(|policy| Bounds {
        min: policy.rules.min_lifetime.as_secs(),
        max: policy.rules.max_lifetime.lifetime().map_or(u32::MAX, Lifetime::as_secs),
    });
    let has_error = typed.access_error.is_some() || typed.key_error.is_some();
    let (lifetime, unit) = typed.lifetime.unwrap_or(("1", "hours"));
    let template = SecurityPage {
        page: &frame,
        allowed: me.caller().user().tokens_allowed,
        access: bounds,
        access_form: service.new_form().expose_secret().clone(),
        tokens: rows(&tokens, now),
        more_tokens,
        has_keys: !keys.is_empty(),
        key_form: service.new_form().expose_secret().clone(),
        keys: rows(&key_grants, now),
        more_keys,
        done,
        access_error: typed.access_error,
        key_error: typed.key_error,
        lifetime,
        unit,
        key_name: typed.key_name,
    };
    Ok(if has_error { html_with(StatusCode::UNPROCESSABLE_ENTITY, &template) } else { html(&template) })
}

fn rows(grants: &[Grant], now: Timestamp) -> Vec<Row<'_>> {
    grants.iter().map(|grant| Row::new(grant, now)).collect()
}

/// The newest live tokens under some policies, and whether there are more.
async fn active(state: &AppState, me: &Me, policies: &[&Policy]) -> Result<(Vec<Grant>, bool), Response> {
    if policies.is_empty() {
        return Ok((Vec::new(), false));
    }
    let filter = TokenFilter {
        statuses: vec![Status::Active],
        policies: policies.iter().map(|policy| policy.name.to_string()).collect(),
        ..TokenFilter::default()
    };
    let manager = Manager::own(me.caller().clone());
    let listed = state.service.list_tokens(&manager, filter, GrantCursor::START, SHOWN).await;
    let (grants, next) = listed.map_err(me.failed())?;
    Ok((grants, next.is_some()))
}

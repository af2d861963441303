//! The one page that shows a secret: the answer to the form that made it, never stored, never shown again.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::fields::Fields;
use super::gate::Me;
use super::page::Page;
use super::{failure, respond};
use crate::domain::lifetime::Lifetime;
use crate::domain::policy::{Credential, LifetimeRefused, Policy};
use crate::http::{Answer, AppState};
use crate::service::error::ApiFailure;
use crate::service::form_use::FormUse;
use crate::service::tokens::{CreateToken, CreatedToken, Manager};

/// What a form asks for.
pub(super) struct Wanted<'a> {
    pub policy: &'a Policy,
    pub name: &'a str,
    /// Seconds; `None` for a number that is none.
    pub lifetime: Option<u32>,
    pub scopes: &'a str,
    pub back: &'static str,
}

#[derive(Template)]
#[template(path = "console/secret.html")]
struct SecretPage<'a> {
    page: &'a Page,
    title: &'static str,
    name: Option<&'a str>,
    secrets: Vec<ShownSecret<'a>>,
    /// With which client, and where, a pair is refreshed.
    refresh: Option<(String, String)>,
    issuer: &'a str,
    is_key: bool,
    back: &'static str,
}

/// One secret with its label and its life.
struct ShownSecret<'a> {
    id: &'static str,
    label: &'static str,
    value: &'a str,
    seconds: Option<i64>,
}

/// Makes a token of the caller's own and shows it, or shows the form `again` with what is wrong.
pub(super) async fn create(
    state: &AppState,
    me: &Me,
    page: &Page,
    fields: &Fields,
    wanted: &Wanted<'_>,
    again: impl FnOnce(String) -> Response,
) -> Answer {
    let policy = wanted.policy;
    let lifetime = match (wanted.lifetime, policy.rules.credential) {
        (lifetime, Credential::Key) => lifetime.map(Lifetime::from_secs),
        (Some(seconds), _) => Some(Lifetime::from_secs(seconds)),
        (None, _) => return Ok(again(page.t("lifetime-needed").into_owned())),
    };
    if let Err(refused) = policy.grant_end(lifetime, state.service.clock.now()) {
        return Ok(again(lifetime_text(page, policy, &refused)));
    }
    // From here on the form is used up, whatever comes of it: it is never answered with a secret twice.
    match state.service.use_form(fields.text("form")).await.map_err(me.failed())? {
        FormUse::First => {}
        FormUse::Again => return Err(failure::sent_before(page)),
        FormUse::Unknown => return Err(failure::expired_form(page)),
    }
    let request = CreateToken {
        policy: policy.name.to_string(),
        name: Some(wanted.name.to_owned()).filter(|name| !name.is_empty()),
        lifetime,
        scopes: wanted.scopes.split_whitespace().map(ToOwned::to_owned).collect(),
        ..CreateToken::default()
    };
    match state.service.create_token(&Manager::own(me.caller().clone()), request, None).await {
        Ok(created) => Ok(show(state, page, &created, wanted.back)),
        Err(ApiFailure::Invalid(errors)) => {
            let errors: Vec<String> = errors
                .iter()
                .map(|error| format!("{}: {}", label(page, &error.pointer), page.says(&error.detail)))
                .collect();
            Ok(again(errors.join("; ")))
        }
        Err(failure) => Err(failure::of(page, &failure)),
    }
}

/// What a field is called on the page.
fn label(page: &Page, pointer: &str) -> String {
    match pointer.trim_start_matches('/').split('/').next() {
        Some("name") => page.t("name").into_owned(),
        Some("scopes") => page.t("scopes").into_owned(),
        Some("lifetime") => page.t("expiration").into_owned(),
        _ => pointer.to_owned(),
    }
}

fn show(state: &AppState, page: &Page, created: &CreatedToken, back: &'static str) -> Response {
    let issued = &created.issued;
    let is_key = created.credential == Credential::Key;
    let mut secrets = vec![ShownSecret {
        id: "bearer",
        label: if is_key { "api-key" } else { "access-token" },
        value: issued.bearer.string.expose_secret(),
        seconds: issued.lifetime(&issued.bearer),
    }];
    if let Some(refresh) = &issued.refresh {
        secrets.push(ShownSecret {
            id: "refresh",
            label: "refresh-token",
            value: refresh.string.expose_secret(),
            seconds: issued.lifetime(refresh),
        });
    }
    let issuer = &state.wire.issuer;
    let endpoint = format!("{issuer}/oauth20/token");
    let template = SecretPage {
        page,
        title: if is_key { "key-made" } else { "token-made" },
        name: created.grant.name.as_deref(),
        secrets,
        refresh: created.client_id.as_ref().map(|client| (client.to_string(), endpoint)),
        issuer,
        is_key,
        back,
    };
    respond::html_with(StatusCode::CREATED, &template)
}

/// What is wrong with a lifetime, naming both bounds.
fn lifetime_text(page: &Page, policy: &Policy, refused: &LifetimeRefused) -> String {
    let min = page.span(policy.rules.min_lifetime.as_secs());
    match policy.rules.max_lifetime.lifetime() {
        Some(max) => page.with_two("lifetime-outside", "min", min, "max", page.span(max.as_secs())).into_owned(),
        None => refused.to_string(),
    }
}

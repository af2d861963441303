//! Disabling, deleting and revoking: first what it would change, then the act.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::failure;
use super::fields::Fields;
use super::gate::Me;
use super::menu::Area;
use super::page::Page;
use super::respond::{html, see_other};
use super::token_list::{Row, owner_name};
use super::token_overview::Whose;
use crate::domain::grant::Grant;
use crate::domain::ids::GrantId;
use crate::domain::policy::{AccessLifetime, OnDisable};
use crate::http::{Answer, AppState};
use crate::service::tokens::{EndTokens, Ending, Impact, Manager, Selected};

#[derive(Template)]
#[template(path = "console/confirm_end.html")]
struct ConfirmPage<'a> {
    page: &'a Page,
    ending: Ending,
    /// The first of the tokens that were chosen.
    rows: Vec<Row<'a>>,
    ids: &'a [GrantId],
    impact: &'a Impact,
    base: &'static str,
    everybodys: bool,
    /// Seconds that access tokens go on for after disabling, where the policy says so.
    access_goes_on: Option<u32>,
    /// So many tokens are ended only by who types their number.
    typed: bool,
    typed_wrong: bool,
}

/// From here on a slip costs more than typing a number.
pub(super) const MASS: u64 = 6;
/// Tokens that are named on the page that asks.
const NAMED: usize = 20;

pub(crate) async fn confirm_own(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let manager = Manager::own(me.caller().clone());
    confirm(&state, &me, &me.page(Area::Tokens), &manager, Whose::Own, &fields, false).await
}

pub(crate) async fn apply_own(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let manager = Manager::own(me.caller().clone());
    apply(&state, &me, &me.page(Area::Tokens), &manager, Whose::Own, &fields).await
}

pub(super) async fn confirm(
    state: &AppState,
    me: &Me,
    page: &Page,
    manager: &Manager,
    whose: Whose,
    fields: &Fields,
    typed_wrong: bool,
) -> Answer {
    let (ending, ids) = read(fields).ok_or_else(|| failure::expired_form(page))?;
    if ids.is_empty() {
        return Ok(see_other(whose.base()));
    }
    let end =
        EndTokens { ending, selected: Selected::Ids(ids.clone()), reason: None, expect_count: None, dry_run: true };
    let ended = state.service.end_tokens(manager, end).await.map_err(me.failed())?;
    let mut grants = Vec::new();
    for id in ids.iter().take(NAMED) {
        if !ended.impact.not_found.contains(id) {
            grants.push(state.service.find_token(manager, *id).await.map_err(me.failed())?);
        }
    }
    let now = state.service.clock.now();
    let access_goes_on = match ending {
        Ending::Disable | Ending::Delete => goes_on(state, page, &grants).await?,
        Ending::Revoke => None,
    };
    let template = ConfirmPage {
        page,
        ending,
        rows: grants.iter().map(|grant| Row::new(grant, now)).collect(),
        ids: &ids,
        impact: &ended.impact,
        base: whose.base(),
        everybodys: whose == Whose::Workspace,
        access_goes_on,
        typed: ended.impact.changed >= MASS,
        typed_wrong,
    };
    Ok(html(&template))
}

pub(super) async fn apply(
    state: &AppState,
    me: &Me,
    page: &Page,
    manager: &Manager,
    whose: Whose,
    fields: &Fields,
) -> Answer {
    let (ending, ids) = read(fields).ok_or_else(|| failure::expired_form(page))?;
    let Ok(expected) = fields.text("expected").parse::<u64>() else {
        return Err(failure::expired_form(page));
    };
    if expected >= MASS && fields.text("typed") != expected.to_string() {
        return confirm(state, me, page, manager, whose, fields, true).await;
    }
    let one = ids.first().copied().filter(|_| ids.len() == 1);
    let end = EndTokens {
        ending,
        selected: Selected::Ids(ids),
        reason: Some(fields.text("reason").to_owned()).filter(|reason| !reason.is_empty()),
        expect_count: Some(expected),
        dry_run: false,
    };
    state.service.end_tokens(manager, end).await.map_err(me.failed())?;
    let base = whose.base();
    Ok(see_other(&match (ending, one) {
        (Ending::Disable, _) => format!("{base}?done=token-disabled"),
        (Ending::Delete, _) => format!("{base}?done=token-deleted"),
        (Ending::Revoke, Some(id)) => format!("{base}/{id}?done=token-revoked"),
        (Ending::Revoke, None) => format!("{base}?done=token-revoked"),
    }))
}

/// How long access tokens live on, if any of the tokens has a policy that lets them.
async fn goes_on(state: &AppState, page: &Page, grants: &[Grant]) -> Result<Option<u32>, Response> {
    for grant in grants {
        let policy = state.service.policy_of(grant).await.map_err(|error| failure::of(page, &error.into()))?;
        if let Some(policy) = policy.filter(|policy| policy.rules.on_disable == OnDisable::RefreshOnly) {
            return Ok(match policy.rules.access_lifetime {
                AccessLifetime::At(lifetime) => Some(lifetime.as_secs()),
                AccessLifetime::Grant(_) => None,
            });
        }
    }
    Ok(None)
}

/// What is to be done with which tokens.
fn read(fields: &Fields) -> Option<(Ending, Vec<GrantId>)> {
    // A row's own button names its token; then the ticked ones are not meant.
    let (action, ids) = match fields.text("one").split_once(' ') {
        Some((action, id)) => (action, id.parse().map(|id| vec![id])),
        None => (fields.text("action"), fields.ids("id")),
    };
    let ending = match action {
        "disable" => Ending::Disable,
        "delete" => Ending::Delete,
        "revoke" => Ending::Revoke,
        _ => return None,
    };
    Some((ending, ids.ok()?))
}

impl ConfirmPage<'_> {
    /// Whose tokens they are, with their numbers.
    fn owners(&self) -> String {
        let shares = self.impact.owners.iter().map(|share| format!("{} ({})", owner_name(&share.owner), share.tokens));
        shares.collect::<Vec<_>>().join(", ")
    }

    fn title(&self) -> &'static str {
        match self.ending {
            Ending::Disable => "confirm-disable",
            Ending::Delete => "confirm-delete",
            Ending::Revoke => "confirm-revoke",
        }
    }

    fn action(&self) -> &'static str {
        match self.ending {
            Ending::Disable => "disable",
            Ending::Delete => "delete",
            Ending::Revoke => "revoke",
        }
    }

    fn verb(&self) -> &'static str {
        match self.ending {
            Ending::Disable => "do-disable",
            Ending::Delete => "do-delete",
            Ending::Revoke => "do-confirm",
        }
    }

    fn meaning(&self) -> &'static str {
        match self.ending {
            Ending::Disable => "disable-meaning",
            Ending::Delete => "delete-meaning",
            Ending::Revoke => "revoke-meaning",
        }
    }
}

//! `/console/admin/tokens/{id}/edit`: owner, extra fields, APIs and plans. Who comes second is shown what the first one
//! has made of it.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};

use super::tokens::manager;
use crate::domain::grant::Grant;
use crate::http::console::failure;
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::respond::{html, html_with, see_other};
use crate::http::console::token_list::Row;
use crate::http::console::token_overview::{find, shown};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::catalog::AskedAssociations;
use crate::service::edit::IfMatch;
use crate::service::error::{ApiFailure, FieldError};
use crate::service::tokens::EditToken;
use crate::store::api::ApiCursor;
use crate::store::plan::PlanCursor;

#[derive(Template)]
#[template(path = "console/admin/token_edit.html")]
struct EditPage<'a> {
    page: &'a Page,
    row: Row<'a>,
    grant: &'a Grant,
    form: &'a Form,
    apis: Vec<Choice>,
    plans: Vec<Choice>,
    /// Somebody else was faster: what is stored now stands beside what was typed.
    merging: bool,
    stored_extra: String,
    errors: &'a [FieldError],
}

/// What the fields hold.
struct Form {
    owner: String,
    extra: Vec<(String, String)>,
    apis: BTreeSet<String>,
    plans: BTreeSet<String>,
}

/// An API or a plan to tick.
struct Choice {
    name: String,
    chosen: bool,
    stored: bool,
}

/// APIs and plans to choose from; a workspace with more of them uses REST.
const MAX_CHOICES: u32 = 200;
/// Empty rows for further extra fields: without a script none can be added.
const SPARE_ROWS: usize = 3;

pub(crate) async fn show(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    let manager = manager(&me).map_err(me.failed())?;
    let grant = find(&state, &me, &manager, &id).await?;
    let form = Form::of(&grant);
    page(&state, &me, &grant, &form, false, &[]).await
}

pub(crate) async fn save(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    let manager = manager(&me).map_err(me.failed())?;
    let grant = find(&state, &me, &manager, &id).await?;
    let form = Form::read(&fields);
    let Ok(version) = fields.text("version").parse::<i64>() else {
        return Err(failure::expired_form(&me.page));
    };
    let patch = form.patch(&grant);
    match state.service.edit_token(&manager, grant.id, patch, IfMatch::Versions(vec![version])).await {
        Ok(_) => Ok(see_other(&format!("/console/admin/tokens/{}?done=token-edited", grant.id))),
        Err(ApiFailure::PreconditionFailed { .. }) => {
            let grant = find(&state, &me, &manager, &id).await?;
            page(&state, &me, &grant, &form, true, &[]).await
        }
        Err(ApiFailure::Invalid(errors)) => page(&state, &me, &grant, &form, false, &errors).await,
        Err(failure) => Err(failure::of(&me.page(Area::AllTokens), &failure)),
    }
}

async fn page(
    state: &AppState,
    me: &Me,
    grant: &Grant,
    form: &Form,
    merging: bool,
    errors: &[FieldError],
) -> Result<Response, Response> {
    let (service, caller) = (&state.service, me.caller());
    let (apis, _) = service.list_apis(caller, ApiCursor::START, MAX_CHOICES).await.map_err(me.failed())?;
    let (plans, _) = service.list_plans(caller, PlanCursor::START, MAX_CHOICES).await.map_err(me.failed())?;
    let template = EditPage {
        page: &me.page(Area::AllTokens),
        row: Row::new(grant, service.clock.now()),
        grant,
        form,
        apis: choices(apis.iter().map(|api| api.name.to_string()), &form.apis, &grant.apis),
        plans: choices(plans.iter().map(|plan| plan.name.to_string()), &form.plans, &grant.plans),
        merging,
        stored_extra: Value::Object(grant.extra_fields.clone()).to_string(),
        errors,
    };
    Ok(match (merging, errors) {
        (true, _) => html_with(StatusCode::CONFLICT, &template),
        (false, []) => html(&template),
        (false, _) => html_with(StatusCode::UNPROCESSABLE_ENTITY, &template),
    })
}

/// All names of the catalog, and those of the token that are no longer in it.
fn choices(known: impl Iterator<Item = String>, chosen: &BTreeSet<String>, stored: &[String]) -> Vec<Choice> {
    let all: BTreeSet<String> = known.chain(chosen.iter().cloned()).chain(stored.iter().cloned()).collect();
    let choice = |name: String| Choice { chosen: chosen.contains(&name), stored: stored.contains(&name), name };
    all.into_iter().map(choice).collect()
}

impl Form {
    fn of(grant: &Grant) -> Self {
        Self {
            owner: grant.owner.subject(),
            extra: grant.extra_fields.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
            apis: grant.apis.iter().cloned().collect(),
            plans: grant.plans.iter().cloned().collect(),
        }
    }

    fn read(fields: &Fields) -> Self {
        let names = fields.all("extra-name").map(str::trim);
        let pairs = names.zip(fields.all("extra-value")).filter(|(name, _)| !name.is_empty());
        Self {
            owner: fields.text("owner").to_owned(),
            extra: pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(),
            apis: fields.all("api").map(ToOwned::to_owned).collect(),
            plans: fields.all("plan").map(ToOwned::to_owned).collect(),
        }
    }

    /// What differs from the token. A value that was left as it was shown keeps its type; a new one is a text.
    fn patch(&self, grant: &Grant) -> EditToken {
        let mut extra = Map::new();
        for (name, value) in &self.extra {
            let stored = grant.extra_fields.get(name);
            if stored.is_none_or(|stored| shown(stored) != *value) {
                extra.insert(name.clone(), Value::String(value.clone()));
            }
        }
        for name in grant.extra_fields.keys() {
            if !self.extra.iter().any(|(own, _)| own == name) {
                extra.insert(name.clone(), Value::Null);
            }
        }
        let changed = |chosen: &BTreeSet<String>, stored: &[String]| {
            let stored: BTreeSet<String> = stored.iter().cloned().collect();
            (*chosen != stored).then(|| chosen.iter().cloned().collect::<Vec<_>>())
        };
        EditToken {
            owner: Some(self.owner.clone()).filter(|owner| *owner != grant.owner.subject()),
            extra_fields: Some(extra).filter(|extra| !extra.is_empty()),
            associations: AskedAssociations {
                apis: changed(&self.apis, &grant.apis),
                plans: changed(&self.plans, &grant.plans),
            },
        }
    }

    /// The rows of the form: those that are filled and some that are not.
    fn rows(&self) -> Vec<(&str, &str)> {
        let filled = self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        filled.chain([("", ""); SPARE_ROWS]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::grant::tests::grant;

    #[test]
    fn only_what_was_changed_is_in_the_patch_and_types_stay() {
        let mut token = grant();
        token.extra_fields = serde_json::from_str(r#"{"team":"blue","seats":3,"old":true}"#).unwrap();
        token.apis = vec!["orders".to_owned()];
        let mut form = Form::of(&token);
        let patch = form.patch(&token);
        assert!(patch.owner.is_none() && patch.extra_fields.is_none());
        assert!(patch.associations.apis.is_none() && patch.associations.plans.is_none());
        form.extra = vec![("team".into(), "red".into()), ("seats".into(), "3".into()), ("new".into(), "1".into())];
        form.apis.insert("billing".to_owned());
        let patch = form.patch(&token);
        let expected = serde_json::json!({ "team": "red", "new": "1", "old": null });
        assert_eq!(Value::Object(patch.extra_fields.unwrap()), expected);
        assert_eq!(patch.associations.apis.unwrap(), ["billing", "orders"]);
    }
}

//! `/console/admin/apis`: the protected resources of the workspace.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use crate::domain::api::Api;
use crate::domain::ids::ApiId;
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::pager::{self, Pager};
use crate::http::console::removal::Removal;
use crate::http::console::respond::{html, see_other};
use crate::http::console::sheet::{Field, Sheet};
use crate::http::console::{done, failure};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::apis::{CreateApi, EditApi};
use crate::service::edit::IfMatch;
use crate::service::error::{ApiFailure, FieldError};
use crate::store::api::ApiCursor;

#[derive(Template)]
#[template(path = "console/admin/apis.html")]
struct ApisPage<'a> {
    page: &'a Page,
    apis: &'a [Api],
    list: Pager,
    done: Option<&'static str>,
}

/// What the fields hold.
#[derive(Default)]
struct Typed {
    name: String,
    audience: String,
    scopes: String,
}

const LIST: &str = "/console/admin/apis";
const NEW: &str = "/console/admin/new/api";
const DONE: [&str; 3] = ["api-made", "api-edited", "api-deleted"];
/// Rows of one page.
pub(super) const PER_PAGE: u32 = 50;

pub(crate) async fn list(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let after = pager::after(&parts.uri)
        .map_or(ApiCursor::START, |(created_at, id)| ApiCursor { created_at, id: ApiId::from_bytes(id) });
    let listed = state.service.list_apis(me.caller(), after, PER_PAGE).await;
    let (apis, next) = listed.map_err(me.failed())?;
    let next = next.map(|next| (next.created_at, *next.id.as_bytes()));
    let list = Pager::new(&parts.uri, LIST, &[], next);
    Ok(html(&ApisPage { page: &me.page(Area::Apis), apis: &apis, list, done: done::of(&parts.uri, &DONE) }))
}

pub(crate) async fn new(me: Me) -> Answer {
    Ok(new_sheet(&me.page(Area::Apis), &Typed::default(), &[]).respond())
}

pub(crate) async fn create(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let (page, typed) = (me.page(Area::Apis), Typed::read(&fields));
    let request = CreateApi { name: typed.name.clone(), audience: typed.audience.clone(), scopes: typed.scope_words() };
    match state.service.create_api(me.caller(), &request).await {
        Ok(_) => Ok(see_other(&format!("{LIST}?done=api-made"))),
        Err(ApiFailure::Invalid(errors)) => Ok(new_sheet(&page, &typed, &errors).respond()),
        Err(ApiFailure::Conflict(taken)) => Ok(new_sheet(&page, &typed, &[FieldError::new("/name", taken)]).respond()),
        Err(failure) => Err(failure::of(&page, &failure)),
    }
}

pub(crate) async fn show_edit(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    let api = find(&state, &me, &id).await?;
    Ok(edit_sheet(&me.page(Area::Apis), &api, &Typed::of(&api), false, &[]).respond())
}

pub(crate) async fn save(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    let (page, typed) = (me.page(Area::Apis), Typed::read(&fields));
    let api = find(&state, &me, &id).await?;
    let Ok(version) = fields.text("version").parse() else {
        return Err(failure::expired_form(&page));
    };
    let edit = EditApi { audience: Some(typed.audience.clone()), scopes: Some(typed.scope_words()) };
    match state.service.edit_api(me.caller(), api.id, &IfMatch::Versions(vec![version]), edit).await {
        Ok(_) => Ok(see_other(&format!("{LIST}?done=api-edited"))),
        Err(ApiFailure::PreconditionFailed { .. }) => {
            let api = find(&state, &me, &id).await?;
            Ok(edit_sheet(&page, &api, &typed, true, &[]).respond())
        }
        Err(ApiFailure::Invalid(errors)) => Ok(edit_sheet(&page, &api, &typed, false, &errors).respond()),
        Err(failure) => Err(failure::of(&page, &failure)),
    }
}

pub(crate) async fn confirm_delete(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    Ok(removal(&state, &me, &id).await?.ask())
}

pub(crate) async fn delete(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    if let Some(asked_again) = removal(&state, &me, &id).await?.asked_again(&fields) {
        return Ok(asked_again);
    }
    let id = find(&state, &me, &id).await?.id;
    state.service.delete_api(me.caller(), id, false).await.map_err(me.failed())?;
    Ok(see_other(&format!("{LIST}?done=api-deleted")))
}

async fn removal(state: &AppState, me: &Me, id: &str) -> Result<Removal, Response> {
    let (page, api) = (me.page(Area::Apis), find(state, me, id).await?);
    let deletion = state.service.delete_api(me.caller(), api.id, true).await.map_err(me.failed())?;
    let reach = deletion.reach.ok_or_else(|| failure::nothing_here(&page))?;
    Ok(Removal {
        title: page.with("delete-api-title", "name", &api.name).into_owned(),
        meaning: "delete-api-meaning",
        counted_as: "tokens-naming",
        verb: "delete",
        reach: reach.into(),
        spared: "",
        list: ("apis", LIST.to_owned()),
        action: format!("{LIST}/{}/delete", api.id),
        back: LIST.to_owned(),
        objection: None,
        page,
    })
}

async fn find(state: &AppState, me: &Me, id: &str) -> Result<Api, Response> {
    let Ok(id) = id.parse::<ApiId>() else {
        return Err(failure::nothing_here(&me.page));
    };
    state.service.find_api(me.caller(), id).await.map_err(me.failed())
}

fn new_sheet<'a>(page: &'a Page, typed: &Typed, errors: &'a [FieldError]) -> Sheet<'a> {
    let mut fields = vec![Field::text("name", "name", &typed.name).hint("catalog-name-hint")];
    fields.extend(typed.fields(None));
    Sheet {
        page,
        title: page.t("new-api").into_owned(),
        lead: "new-api-lead",
        list: ("apis", LIST),
        action: NEW.to_owned(),
        back: LIST.to_owned(),
        verb: "make-api",
        hidden: ("version", "0".to_owned()),
        fields,
        merging: false,
        errors,
    }
}

fn edit_sheet<'a>(page: &'a Page, api: &Api, typed: &Typed, merging: bool, errors: &'a [FieldError]) -> Sheet<'a> {
    let stored = Typed::of(api);
    Sheet {
        page,
        title: page.with("edit-title", "name", &api.name).into_owned(),
        lead: "catalog-name-fixed",
        list: ("apis", LIST),
        action: format!("{LIST}/{}/edit", api.id),
        back: LIST.to_owned(),
        verb: "save",
        hidden: ("version", api.version.to_string()),
        fields: typed.fields(merging.then_some(&stored)),
        merging,
        errors,
    }
}

impl Typed {
    fn of(api: &Api) -> Self {
        Self { name: api.name.to_string(), audience: api.audience.to_string(), scopes: api.scopes.to_string() }
    }

    fn read(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self { name: text("name"), audience: text("audience"), scopes: text("scopes") }
    }

    fn scope_words(&self) -> Vec<String> {
        self.scopes.split_whitespace().map(ToOwned::to_owned).collect()
    }

    /// What can be edited, with what is stored where somebody else was faster.
    fn fields(&self, stored: Option<&Self>) -> Vec<Field> {
        vec![
            Field::text("audience", "audience", &self.audience)
                .hint("audience-hint")
                .beside(stored.map(|stored| stored.audience.clone())),
            Field::optional("scopes", "scopes", &self.scopes)
                .hint("api-scopes-hint")
                .beside(stored.map(|stored| stored.scopes.clone())),
        ]
    }
}

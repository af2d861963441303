//! `/console/admin/new/client` and `/console/admin/clients/{id}/edit`: the forms of a client.

use axum::extract::State;

use super::client_secret;
use super::clients::{LIST, auth_method_key, grant_type_key, path};
use crate::domain::client::{AuthMethod, Client, GrantType};
use crate::http::console::failure;
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::respond::see_other;
use crate::http::console::sheet::{Field, Input, Sheet, Tick};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::client_edit::EditClient;
use crate::service::clients::CreateClient;
use crate::service::edit::IfMatch;
use crate::service::error::{ApiFailure, FieldError};
use crate::service::form_use::FormUse;

/// What the fields hold.
struct Typed {
    name: String,
    auth_method: String,
    grant_types: Vec<String>,
    scopes: String,
    redirect_uris: String,
    introspect: bool,
}

const NEW: &str = "/console/admin/new/client";

pub(crate) async fn new(State(state): State<AppState>, me: Me) -> Answer {
    Ok(new_sheet(&state, &me.page(Area::Clients), &Typed::default(), &[]).respond())
}

/// Makes a client and shows its secret: once.
pub(crate) async fn create(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let (page, typed) = (me.page(Area::Clients), Typed::read(&fields));
    match state.service.use_form(fields.text("form")).await.map_err(me.failed())? {
        FormUse::First => {}
        FormUse::Again => return Err(failure::sent_before(&page)),
        FormUse::Unknown => return Err(failure::expired_form(&page)),
    }
    let request = CreateClient {
        name: typed.name.clone(),
        grant_types: typed.grant_types.clone(),
        scopes: words(&typed.scopes),
        redirect_uris: words(&typed.redirect_uris),
        auth_method: Some(typed.auth_method.clone()),
        introspect: typed.introspect,
        client_id: None,
        client_secret: None,
    };
    match state.service.create_client(me.caller(), request, None).await {
        Ok(created) => Ok(client_secret::show_new(&state, &page, &created)),
        Err(ApiFailure::Invalid(errors)) => Ok(new_sheet(&state, &page, &typed, &errors).respond()),
        Err(failure) => Err(failure::of(&page, &failure)),
    }
}

pub(crate) async fn show(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    let client = state.service.find_workspace_client(me.caller(), &id).await.map_err(me.failed())?;
    Ok(edit_sheet(&me.page(Area::Clients), &client, &Typed::of(&client), false, &[]).respond())
}

pub(crate) async fn save(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    let (page, typed) = (me.page(Area::Clients), Typed::read(&fields));
    let client = state.service.find_workspace_client(me.caller(), &id).await.map_err(me.failed())?;
    let Ok(version) = fields.text("version").parse() else {
        return Err(failure::expired_form(&page));
    };
    let edit = EditClient {
        name: Some(typed.name.clone()),
        grant_types: Some(typed.grant_types.clone()),
        scopes: Some(words(&typed.scopes)),
        redirect_uris: Some(words(&typed.redirect_uris)),
        introspect: Some(typed.introspect),
    };
    match state.service.edit_client(me.caller(), &id, &IfMatch::Versions(vec![version]), edit).await {
        Ok(client) => Ok(see_other(&format!("{}?done=client-edited", path(&client)))),
        Err(ApiFailure::PreconditionFailed { .. }) => {
            let client = state.service.find_workspace_client(me.caller(), &id).await.map_err(me.failed())?;
            Ok(edit_sheet(&page, &client, &typed, true, &[]).respond())
        }
        Err(ApiFailure::Invalid(errors)) => Ok(edit_sheet(&page, &client, &typed, false, &errors).respond()),
        Err(failure) => Err(failure::of(&page, &failure)),
    }
}

fn new_sheet<'a>(state: &AppState, page: &'a Page, typed: &Typed, errors: &'a [FieldError]) -> Sheet<'a> {
    let method = |method: AuthMethod| Tick {
        value: method.to_string(),
        label: page.t(auth_method_key(method)).into_owned(),
        chosen: method.as_str() == typed.auth_method,
    };
    let methods = Input::One { options: AuthMethod::ALL.map(method).into() };
    let mut fields = typed.fields(page, None);
    fields.insert(1, Field::new("token_endpoint_auth_method", "client-auth", methods).hint("client-auth-hint"));
    Sheet {
        page,
        title: page.t("new-client").into_owned(),
        lead: "new-client-lead",
        list: ("clients", LIST),
        action: NEW.to_owned(),
        back: LIST.to_owned(),
        verb: "make-client",
        hidden: ("form", state.service.new_form().expose_secret().clone()),
        fields,
        merging: false,
        errors,
    }
}

fn edit_sheet<'a>(
    page: &'a Page,
    client: &Client,
    typed: &Typed,
    merging: bool,
    errors: &'a [FieldError],
) -> Sheet<'a> {
    let stored = Typed::of(client);
    Sheet {
        page,
        title: page.with("edit-title", "name", &client.name).into_owned(),
        lead: "edit-client-lead",
        list: ("clients", LIST),
        action: format!("{}/edit", path(client)),
        back: path(client),
        verb: "save",
        hidden: ("version", client.version.to_string()),
        fields: typed.fields(page, merging.then_some(&stored)),
        merging,
        errors,
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(ToOwned::to_owned).collect()
}

impl Default for Typed {
    fn default() -> Self {
        Self {
            name: String::new(),
            auth_method: AuthMethod::Basic.to_string(),
            grant_types: vec![GrantType::ClientCredentials.to_string()],
            scopes: String::new(),
            redirect_uris: String::new(),
            introspect: false,
        }
    }
}

impl Typed {
    fn of(client: &Client) -> Self {
        Self {
            name: client.name.clone(),
            auth_method: client.auth_method.to_string(),
            grant_types: client.grant_types.iter().map(ToString::to_string).collect(),
            scopes: client.scopes.to_string(),
            redirect_uris: client.redirect_uris.join("\n"),
            introspect: client.introspect,
        }
    }

    fn read(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            name: text("name"),
            auth_method: text("token_endpoint_auth_method"),
            grant_types: fields.all("grant_types").map(ToOwned::to_owned).collect(),
            scopes: text("scopes"),
            redirect_uris: text("redirect_uris"),
            introspect: fields.text("introspect") == "yes",
        }
    }

    /// What can be edited, with what is stored where somebody else was faster.
    fn fields(&self, page: &Page, stored: Option<&Self>) -> Vec<Field> {
        let may = |typed: &Self| -> Vec<Tick> {
            let tick = |grant_type: GrantType| Tick {
                value: grant_type.to_string(),
                label: page.t(grant_type_key(grant_type)).into_owned(),
                chosen: typed.grant_types.iter().any(|word| word == grant_type.as_str()),
            };
            GrantType::ALL.map(tick).into()
        };
        let chosen = |ticks: Vec<Tick>| {
            let chosen = ticks.into_iter().filter(|tick| tick.chosen).map(|tick| tick.label);
            chosen.collect::<Vec<_>>().join(", ")
        };
        let all = |typed: &Self| -> Vec<Tick> {
            let label = page.t("introspect-all").into_owned();
            vec![Tick { value: "yes".to_owned(), label, chosen: typed.introspect }]
        };
        vec![
            Field::text("name", "name", &self.name).beside(stored.map(|stored| stored.name.clone())),
            Field::new("grant_types", "client-may", Input::Many { options: may(self) })
                .beside(stored.map(|stored| chosen(may(stored)))),
            Field::optional("scopes", "scopes", &self.scopes)
                .hint("client-scopes-hint")
                .beside(stored.map(|stored| stored.scopes.clone())),
            Field::new("redirect_uris", "redirect-uris", Input::Lines { value: self.redirect_uris.clone() })
                .hint("redirect-uris-hint")
                .beside(stored.map(|stored| words(&stored.redirect_uris).join(" "))),
            Field::new("introspect", "introspection", Input::Many { options: all(self) })
                .hint("introspect-hint")
                .beside(stored.map(|stored| chosen(all(stored)))),
        ]
    }
}

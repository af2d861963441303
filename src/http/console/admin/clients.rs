//! `/console/admin/clients`: the OAuth clients of the workspace: the list, one of them, and its deletion.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use crate::domain::client::{AuthMethod, Client, GrantType};
use crate::domain::clock::Timestamp;
use crate::domain::ids::ClientKey;
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::pager::{self, Pager};
use crate::http::console::removal::Removal;
use crate::http::console::respond::{html, see_other};
use crate::http::console::{done, failure};
use crate::http::path::Segment;
use crate::http::{Answer, AppState, location};
use crate::store::client::{ClientCursor, ClientFilter};

#[derive(Template)]
#[template(path = "console/admin/clients.html")]
struct ClientsPage<'a> {
    page: &'a Page,
    clients: &'a [Client],
    q: &'a str,
    list: Pager,
    done: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "console/admin/client.html")]
struct ClientPage<'a> {
    page: &'a Page,
    client: &'a Client,
    path: String,
    /// Pairs of the workspace are refreshed with it: it stays as it is.
    is_own: bool,
    /// Until when the secret before is accepted too, where it still is.
    previous_until: Option<Timestamp>,
    done: Option<&'static str>,
}

pub(super) const LIST: &str = "/console/admin/clients";
const LIST_DONE: [&str; 1] = ["client-deleted"];
const DONE: [&str; 1] = ["client-edited"];
/// Rows of one page.
const PER_PAGE: u32 = 50;

pub(crate) async fn list(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let q = pager::value(&parts.uri, "q");
    let after = pager::after(&parts.uri)
        .map_or(ClientCursor::START, |(created_at, key)| ClientCursor { created_at, key: ClientKey::from_bytes(key) });
    let filter = ClientFilter { text: q.clone(), introspect: None };
    let listed = state.service.list_clients(me.caller(), filter, after, PER_PAGE).await;
    let (clients, next) = listed.map_err(me.failed())?;
    let next = next.map(|next| (next.created_at, *next.key.as_bytes()));
    let list = Pager::new(&parts.uri, LIST, &[("q", &q)], next);
    let page = &me.page(Area::Clients);
    Ok(html(&ClientsPage { page, clients: &clients, q: &q, list, done: done::of(&parts.uri, &LIST_DONE) }))
}

pub(crate) async fn show(State(state): State<AppState>, me: Me, Segment(id): Segment, parts: Parts) -> Answer {
    let client = state.service.find_workspace_client(me.caller(), &id).await.map_err(me.failed())?;
    let is_own = state.service.is_api_client(&client).await.map_err(|error| failure::of(&me.page, &error.into()))?;
    let now = state.service.clock.now();
    let template = ClientPage {
        page: &me.page(Area::Clients),
        client: &client,
        path: path(&client),
        is_own,
        previous_until: client.previous_secret.map(|previous| previous.until).filter(|until| *until > now),
        done: done::of(&parts.uri, &DONE),
    };
    Ok(html(&template))
}

pub(crate) async fn confirm_delete(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    Ok(removal(&state, &me, &id).await?.ask())
}

pub(crate) async fn delete(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    if let Some(asked_again) = removal(&state, &me, &id).await?.asked_again(&fields) {
        return Ok(asked_again);
    }
    state.service.delete_client(me.caller(), &id, false).await.map_err(me.failed())?;
    Ok(see_other(&format!("{LIST}?done=client-deleted")))
}

async fn removal(state: &AppState, me: &Me, id: &str) -> Result<Removal, Response> {
    let page = me.page(Area::Clients);
    let client = state.service.find_workspace_client(me.caller(), id).await.map_err(me.failed())?;
    let deleted = state.service.delete_client(me.caller(), id, true).await.map_err(me.failed())?;
    let reach = deleted.reach.ok_or_else(|| failure::nothing_here(&page))?;
    Ok(Removal {
        title: page.with("delete-client-title", "name", &client.name).into_owned(),
        meaning: "delete-client-meaning",
        counted_as: "tokens-ended",
        verb: "delete",
        reach: reach.into(),
        spared: "",
        list: ("clients", LIST.to_owned()),
        action: format!("{}/delete", path(&client)),
        back: path(&client),
        objection: None,
        page,
    })
}

/// Where the page of a client is.
pub(super) fn path(client: &Client) -> String {
    format!("{LIST}/{}", location::segment(client.client_id.as_str()))
}

/// What a client may ask the token endpoint for, in words.
pub(super) const fn grant_type_key(grant_type: GrantType) -> &'static str {
    match grant_type {
        GrantType::ClientCredentials => "may-client-credentials",
        GrantType::RefreshToken => "may-refresh-token",
        GrantType::Anonymous => "may-anonymous",
        GrantType::TokenExchange => "may-token-exchange",
    }
}

pub(super) const fn auth_method_key(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::Basic => "auth-basic",
        AuthMethod::Post => "auth-post",
        AuthMethod::None => "auth-none",
    }
}

fn grants(page: &Page, client: &Client) -> String {
    let words = client.grant_types.iter().map(|grant_type| page.t(grant_type_key(*grant_type)));
    words.collect::<Vec<_>>().join(", ")
}

impl ClientsPage<'_> {
    fn path(&self, client: &Client) -> String {
        path(client)
    }

    fn grants(&self, client: &Client) -> String {
        grants(self.page, client)
    }

    fn is_public(&self, client: &Client) -> bool {
        client.auth_method == AuthMethod::None
    }
}

impl ClientPage<'_> {
    fn grants(&self) -> String {
        grants(self.page, self.client)
    }

    /// Where the tokens are that were given to it.
    fn tokens(&self) -> String {
        format!("/console/admin/tokens?client={}", location::segment(self.client.client_id.as_str()))
    }

    fn auth_key(&self) -> &'static str {
        auth_method_key(self.client.auth_method)
    }
}

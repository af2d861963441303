//! `/console/admin/clients/{id}/rotate`: a new secret beside the one in use; and the page that shows a secret once.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::clients::{LIST, path};
use crate::domain::client::Client;
use crate::domain::clock::Timestamp;
use crate::domain::lifetime::Lifetime;
use crate::http::console::failure;
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::respond::{html, html_with, see_other};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::clients::CreatedClient;
use crate::service::form_use::FormUse;

#[derive(Template)]
#[template(path = "console/admin/client_rotate.html")]
struct RotatePage<'a> {
    page: &'a Page,
    client: &'a Client,
    path: String,
    form: String,
    overlaps: [Lifetime; 5],
    default: Lifetime,
    /// Until when the secret before the current one is accepted, where it still is: the change ends it.
    previous_until: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "console/admin/client_secret.html")]
struct SecretPage<'a> {
    page: &'a Page,
    title: &'static str,
    client: &'a Client,
    secret: &'a str,
    previous_until: Option<Timestamp>,
    issuer: &'a str,
    back: String,
}

const HOUR: u32 = 3_600;
/// For how long the secret before may be accepted beside the new one.
const OVERLAPS: [Lifetime; 5] = [
    Lifetime::from_secs(0),
    Lifetime::from_secs(HOUR),
    Lifetime::from_secs(24 * HOUR),
    Lifetime::from_secs(7 * 24 * HOUR),
    Lifetime::from_secs(30 * 24 * HOUR),
];

pub(crate) async fn ask(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    let client = state.service.find_workspace_client(me.caller(), &id).await.map_err(me.failed())?;
    let page = &me.page(Area::Clients);
    if client.secret.is_none() {
        return Err(failure::nothing_here(page));
    }
    let now = state.service.clock.now();
    let template = RotatePage {
        page,
        client: &client,
        path: path(&client),
        form: state.service.new_form().expose_secret().clone(),
        overlaps: OVERLAPS,
        default: OVERLAPS[2],
        previous_until: client.previous_secret.map(|previous| previous.until).filter(|until| *until > now),
    };
    Ok(html(&template))
}

pub(crate) async fn rotate(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    let page = &me.page(Area::Clients);
    let Ok(overlap) = fields.text("overlap").parse::<Lifetime>() else {
        return Err(failure::expired_form(page));
    };
    match state.service.use_form(fields.text("form")).await.map_err(me.failed())? {
        FormUse::First => {}
        FormUse::Again => return Err(failure::sent_before(page)),
        FormUse::Unknown => return Err(failure::expired_form(page)),
    }
    let rotated = state.service.rotate_client_secret(me.caller(), &id, Some(overlap)).await.map_err(me.failed())?;
    let (client, secret) = (&rotated.client, rotated.secret.expose_secret());
    Ok(show(&state, page, "secret-changed", client, secret, rotated.previous_until))
}

/// The secret of a client that was just made; a public client has none, and gets its own page.
pub(super) fn show_new(state: &AppState, page: &Page, created: &CreatedClient) -> Response {
    match &created.secret {
        Some(secret) => show(state, page, "client-made", &created.client, secret.expose_secret(), None),
        None => see_other(&path(&created.client)),
    }
}

fn show(
    state: &AppState,
    page: &Page,
    title: &'static str,
    client: &Client,
    secret: &str,
    previous_until: Option<Timestamp>,
) -> Response {
    let issuer = &state.wire.issuer;
    let back = path(client);
    html_with(StatusCode::CREATED, &SecretPage { page, title, client, secret, previous_until, issuer, back })
}

impl SecretPage<'_> {
    const fn list(&self) -> &'static str {
        LIST
    }

    /// The client's id in single quotes of a shell, whatever is in it.
    fn quoted_id(&self) -> String {
        self.client.client_id.as_str().replace('\'', "'\\''")
    }

    /// How the client shows the secret: in the header, or in the form.
    fn uses_header(&self) -> bool {
        self.client.auth_method == crate::domain::client::AuthMethod::Basic
    }
}

//! `/console/admin/users`: the people of the workspace, and the links with which they set their passwords.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::respond::{html, html_with, see_other};
use crate::http::console::{done, failure};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::edit::IfMatch;
use crate::service::error::{ApiFailure, FieldError};
use crate::service::form_use::FormUse;
use crate::service::user_edit::EditUser;
use crate::service::users::CreateUser;
use crate::store::user::{Role, User, UserCursor, UserFilter};

#[derive(Template)]
#[template(path = "console/admin/users.html")]
struct UsersPage<'a> {
    page: &'a Page,
    users: &'a [User],
    more: bool,
    q: String,
    form: String,
    username: &'a str,
    email: &'a str,
    errors: &'a [FieldError],
    done: Option<&'static str>,
    /// Whether people sign in with passwords.
    passwords: bool,
}

#[derive(Template)]
#[template(path = "console/admin/user_link.html")]
struct LinkPage<'a> {
    page: &'a Page,
    username: &'a str,
    link: String,
}

pub(super) const LIST: &str = "/console/admin/users";
const DONE: [&str; 5] = ["user-made", "user-allowed", "user-forbidden", "user-edited", "user-deleted"];
/// Shown at once; others are searched for.
const SHOWN: u32 = 100;

pub(crate) async fn list(State(state): State<AppState>, me: Me, parts: Parts) -> Answer {
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let q = form_urlencoded::parse(query).find(|(name, _)| name == "q").map(|(_, value)| value.trim().to_owned());
    page(&state, &me, q.unwrap_or_default(), ("", ""), &[], done::of(&parts.uri, &DONE)).await
}

/// Makes a user and shows the link with which they set their password: once.
pub(crate) async fn create(State(state): State<AppState>, me: Me, fields: Fields) -> Answer {
    let frame = me.page(Area::Users);
    let (username, email) = (fields.text("username"), fields.text("email"));
    match state.service.use_form(fields.text("form")).await.map_err(me.failed())? {
        FormUse::First => {}
        FormUse::Again => return Err(failure::sent_before(&frame)),
        FormUse::Unknown => return Err(failure::expired_form(&frame)),
    }
    let request = CreateUser {
        username: username.to_owned(),
        email: Some(email.to_owned()).filter(|email| !email.is_empty()),
        role: Some(fields.text("role").to_owned()).filter(|role| !role.is_empty()),
        password: None,
    };
    match state.service.create_user(me.caller(), request, None).await {
        Ok(_) if !state.service.settings.console.passwords => Ok(see_other(&format!("{LIST}?done=user-made"))),
        Ok((user, _)) => link(&state, &me, &frame, &user, StatusCode::CREATED).await,
        Err(ApiFailure::Conflict(taken)) => {
            let errors = [FieldError::new("/username", taken)];
            page(&state, &me, String::new(), (username, email), &errors, None).await
        }
        Err(ApiFailure::Invalid(errors)) => page(&state, &me, String::new(), (username, email), &errors, None).await,
        Err(failure) => Err(failure::of(&frame, &failure)),
    }
}

/// A new link for somebody who has none or has forgotten the password.
pub(crate) async fn new_link(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    let frame = me.page(Area::Users);
    match state.service.use_form(fields.text("form")).await.map_err(me.failed())? {
        FormUse::First => {}
        FormUse::Again => return Err(failure::sent_before(&frame)),
        FormUse::Unknown => return Err(failure::expired_form(&frame)),
    }
    let user = state.service.find_workspace_user(me.caller(), &id).await.map_err(me.failed())?;
    link(&state, &me, &frame, &user, StatusCode::OK).await
}

/// Allows or forbids somebody to make tokens of their own.
pub(crate) async fn allow_tokens(
    State(state): State<AppState>,
    me: Me,
    Segment(id): Segment,
    fields: Fields,
) -> Answer {
    let (Ok(version), allowed) = (fields.text("version").parse(), fields.text("tokens") == "allowed") else {
        return Err(failure::expired_form(&me.page));
    };
    let edit = EditUser { tokens_allowed: Some(allowed), ..EditUser::default() };
    let edited = state.service.edit_user(me.caller(), &id, &IfMatch::Versions(vec![version]), edit).await;
    edited.map_err(me.failed())?;
    Ok(see_other(if allowed {
        "/console/admin/users?done=user-allowed"
    } else {
        "/console/admin/users?done=user-forbidden"
    }))
}

async fn link(state: &AppState, me: &Me, frame: &Page, user: &User, status: StatusCode) -> Answer {
    let code = state.service.user_password_link(me.caller(), user).await.map_err(me.failed())?;
    let link = format!("{}/console/setup?code={}", state.wire.issuer, code.expose_secret());
    Ok(html_with(status, &LinkPage { page: frame, username: &user.username, link }))
}

async fn page(
    state: &AppState,
    me: &Me,
    q: String,
    (username, email): (&str, &str),
    errors: &[FieldError],
    done: Option<&'static str>,
) -> Answer {
    let filter = UserFilter { text: q.clone(), ..UserFilter::default() };
    let listed = state.service.list_users(me.caller(), filter, UserCursor::START, SHOWN).await;
    let (users, next) = listed.map_err(me.failed())?;
    let template = UsersPage {
        page: &me.page(Area::Users),
        users: &users,
        more: next.is_some(),
        q,
        form: state.service.new_form().expose_secret().clone(),
        username,
        email,
        errors,
        done,
        passwords: state.service.settings.console.passwords,
    };
    Ok(if errors.is_empty() { html(&template) } else { html_with(StatusCode::UNPROCESSABLE_ENTITY, &template) })
}

pub(super) const fn role_key(role: Role) -> &'static str {
    match role {
        Role::Member => "role-member",
        Role::Admin => "role-admin",
        Role::Operator => "role-operator",
    }
}

impl UsersPage<'_> {
    fn role(&self, user: &User) -> &'static str {
        role_key(user.role)
    }
}

//! `/console/admin/users/{id}/edit` and `…/delete`: role and e-mail of a user, and what goes with them.

use axum::extract::State;
use axum::response::Response;

use super::users::{LIST, role_key};
use crate::http::console::failure;
use crate::http::console::fields::Fields;
use crate::http::console::gate::Me;
use crate::http::console::menu::Area;
use crate::http::console::page::Page;
use crate::http::console::removal::Removal;
use crate::http::console::respond::see_other;
use crate::http::console::sheet::{Field, Input, Sheet, Tick};
use crate::http::path::Segment;
use crate::http::{Answer, AppState};
use crate::service::edit::IfMatch;
use crate::service::error::{ApiFailure, FieldError};
use crate::service::user_edit::EditUser;
use crate::store::user::{Role, User};

/// What the fields hold.
struct Typed {
    email: String,
    role: String,
    /// `None`: there is no provider to be known to.
    subject: Option<String>,
}

pub(crate) async fn show(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    let user = state.service.find_workspace_user(me.caller(), &id).await.map_err(me.failed())?;
    Ok(sheet(&me, &me.page(Area::Users), &user, &Typed::of(&state, &user), false, &[]).respond())
}

pub(crate) async fn save(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    let page = &me.page(Area::Users);
    let user = state.service.find_workspace_user(me.caller(), &id).await.map_err(me.failed())?;
    let typed = Typed {
        email: fields.text("email").to_owned(),
        role: fields.text("role").to_owned(),
        subject: Typed::of(&state, &user).subject.map(|_| fields.text("identity").to_owned()),
    };
    let Ok(version) = fields.text("version").parse() else {
        return Err(failure::expired_form(page));
    };
    let edit = EditUser {
        email: Some(Some(typed.email.clone()).filter(|email| !email.is_empty())),
        role: Some(typed.role.clone()),
        // What is left as it was is not asked about: it may be from a provider that is not configured any more.
        subject: typed
            .subject
            .clone()
            .filter(|subject| subject != subject_of(&user))
            .map(|subject| Some(subject).filter(|subject| !subject.is_empty())),
        ..EditUser::default()
    };
    match state.service.edit_user(me.caller(), &id, &IfMatch::Versions(vec![version]), edit).await {
        Ok(_) => Ok(see_other(&format!("{LIST}?done=user-edited"))),
        Err(ApiFailure::PreconditionFailed { .. }) => {
            let user = state.service.find_workspace_user(me.caller(), &id).await.map_err(me.failed())?;
            Ok(sheet(&me, page, &user, &typed, true, &[]).respond())
        }
        Err(ApiFailure::Invalid(errors)) => Ok(sheet(&me, page, &user, &typed, false, &errors).respond()),
        Err(failure) => Err(failure::of(page, &failure)),
    }
}

pub(crate) async fn confirm_delete(State(state): State<AppState>, me: Me, Segment(id): Segment) -> Answer {
    Ok(removal(&state, &me, &id).await?.ask())
}

pub(crate) async fn delete(State(state): State<AppState>, me: Me, Segment(id): Segment, fields: Fields) -> Answer {
    if let Some(asked_again) = removal(&state, &me, &id).await?.asked_again(&fields) {
        return Ok(asked_again);
    }
    state.service.delete_user(me.caller(), &id, false).await.map_err(me.failed())?;
    Ok(see_other(&format!("{LIST}?done=user-deleted")))
}

async fn removal(state: &AppState, me: &Me, id: &str) -> Result<Removal, Response> {
    let page = me.page(Area::Users);
    let user = state.service.find_workspace_user(me.caller(), id).await.map_err(me.failed())?;
    let deleted = state.service.delete_user(me.caller(), id, true).await.map_err(me.failed())?;
    let reach = deleted.reach.ok_or_else(|| failure::nothing_here(&page))?;
    let is_self = user.id == me.caller().user().id;
    Ok(Removal {
        title: page.with("delete-user-title", "name", &user.username).into_owned(),
        meaning: if is_self { "delete-self-meaning" } else { "delete-user-meaning" },
        counted_as: "tokens-ended",
        verb: "delete",
        reach: reach.into(),
        spared: "",
        list: ("users", LIST.to_owned()),
        action: format!("{LIST}/{}/delete", user.id),
        back: LIST.to_owned(),
        objection: None,
        page,
    })
}

fn sheet<'a>(
    me: &Me,
    page: &'a Page,
    user: &User,
    typed: &Typed,
    merging: bool,
    errors: &'a [FieldError],
) -> Sheet<'a> {
    let label = |role: Role| page.t(role_key(role)).into_owned();
    // Nobody makes anybody more than they are; the use case refuses it, so the form does not offer it.
    let offered = Role::ALL.into_iter().filter(|role| *role <= me.caller().user().role || *role == user.role);
    let tick =
        |role: Role| Tick { value: role.as_str().to_owned(), label: label(role), chosen: role.as_str() == typed.role };
    let stored = merging.then(|| (user.email.clone().unwrap_or_default(), label(user.role)));
    let (email, role) = stored.unzip();
    let subject = typed.subject.as_ref().map(|subject| {
        let stored = merging.then(|| subject_of(user).to_owned());
        Field::optional("identity", "subject", subject).hint("subject-hint").beside(stored)
    });
    Sheet {
        page,
        title: page.with("edit-title", "name", &user.username).into_owned(),
        lead: "edit-user-lead",
        list: ("users", LIST),
        action: format!("{LIST}/{}/edit", user.id),
        back: LIST.to_owned(),
        verb: "save",
        hidden: ("version", user.version.to_string()),
        fields: [
            Field::optional("email", "email", &typed.email).beside(email),
            Field::new("role", "role", Input::One { options: offered.map(tick).collect() })
                .hint("role-hint")
                .beside(role),
        ]
        .into_iter()
        .chain(subject)
        .collect(),
        merging,
        errors,
    }
}

impl Typed {
    fn of(state: &AppState, user: &User) -> Self {
        let shown = state.service.oidc.is_some() || user.identity.is_some();
        Self {
            email: user.email.clone().unwrap_or_default(),
            role: user.role.as_str().to_owned(),
            subject: shown.then(|| subject_of(user).to_owned()),
        }
    }
}

/// Who they are to the provider; empty: nobody.
fn subject_of(user: &User) -> &str {
    user.identity.as_ref().map_or("", |linked| linked.identity.subject.as_str())
}

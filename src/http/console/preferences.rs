//! The switches for language and theme: plain forms, kept in cookies.

use axum::extract::State;
use axum::response::Response;

use super::cookie;
use super::fields::Fields;
use super::language::Language;
use super::page::Theme;
use super::respond::{is_own_path, see_other, set_cookie};
use crate::http::AppState;

pub(crate) async fn change(State(state): State<AppState>, fields: Fields) -> Response {
    let back = fields.text("back");
    let mut response = see_other(if is_own_path(back) { back } else { "/console" });
    let issuer = &state.wire.issuer;
    if let Some(language) = Language::ALL.into_iter().find(|language| language.tag() == fields.text("language")) {
        set_cookie(&mut response, cookie::preference(issuer, cookie::LANGUAGE, language.tag()));
    }
    if let Some(theme) = Theme::from_name(fields.text("theme")) {
        set_cookie(&mut response, cookie::preference(issuer, cookie::THEME, theme.name()));
    }
    response
}

//! `/api/v1/me`: who the presented token acts for.

use axum::extract::State;

use crate::http::caller::Member;
use crate::http::oauth_error::no_store;
use crate::http::path::NoQuery;
use crate::http::{Answer, AppState};
use crate::service::me::MeView;

/// Who the presented token acts for
#[utoipa::path(get, path = "/api/v1/me", responses((status = 200, description = "The caller", body = MeView<'static>)))]
pub(crate) async fn show(State(_): State<AppState>, Member(caller): Member, _: NoQuery) -> Answer {
    Ok(no_store(&MeView::of(&caller)))
}

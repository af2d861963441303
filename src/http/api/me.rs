//! `/api/v1/me`: who the presented token acts for.

use axum::extract::State;
use serde_json::json;

use crate::http::caller::Member;
use crate::http::oauth_error::no_store_json;
use crate::http::path::NoQuery;
use crate::http::{Answer, AppState};
use crate::service::me::MeView;

pub(crate) async fn show(State(_): State<AppState>, Member(caller): Member, _: NoQuery) -> Answer {
    Ok(no_store_json(json!(MeView::of(&caller)).to_string()))
}

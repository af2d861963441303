//! `/api/v1/me`: the caller as they are seen here.

use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::users::UserView;
use crate::domain::scope::Scopes;

/// Who calls, and how far their token goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeView<'a> {
    pub user: UserView<'a>,
    /// What the presented token is limited to; empty: it is not limited.
    pub scopes: &'a Scopes,
}

impl<'a> MeView<'a> {
    #[must_use]
    pub fn of(caller: &'a Caller) -> Self {
        Self { user: UserView::of(&caller.user, caller), scopes: caller.scopes() }
    }
}

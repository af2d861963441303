//! `/console/admin/…`: everything of the workspace, for its administrators.

pub(super) mod apis;
pub(super) mod audit;
pub(super) mod client_edit;
pub(super) mod client_secret;
pub(super) mod clients;
pub(super) mod explain;
pub(super) mod legacy;
pub(super) mod overview;
pub(super) mod plans;
pub(super) mod policies;
pub(super) mod token_edit;
pub(super) mod tokens;
pub(super) mod user_edit;
pub(super) mod users;

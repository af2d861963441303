//! `/console/admin/…`: everything of the workspace, for its administrators.

pub(super) mod audit;
pub(super) mod policies;
pub(super) mod token_edit;
pub(super) mod tokens;
pub(super) mod users;

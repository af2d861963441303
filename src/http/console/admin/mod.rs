//! `/console/admin/…`: everything of the workspace, for its administrators.

pub(super) mod token_edit;
pub(super) mod tokens;

//! `/admin/v1/…`: everything of a workspace, for its administrators.

pub(crate) mod clients;
pub(crate) mod users;

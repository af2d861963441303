//! `/admin/v1/…`: everything of a workspace, for its administrators.

pub(crate) mod apis;
pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod legacy_imports;
pub(crate) mod legacy_report;
pub(crate) mod legacy_rows;
pub(crate) mod plans;
pub(crate) mod policies;
mod records;
pub(crate) mod revocations;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod webhooks;
pub(crate) mod workspaces;

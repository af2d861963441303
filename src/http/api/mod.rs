//! `/api/v1/…`: a user's own things.

pub(crate) mod me;
pub(crate) mod token;
pub(crate) mod tokens;

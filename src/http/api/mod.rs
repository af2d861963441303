//! `/api/v1/…`: a user's own things.

pub(crate) mod tokens;

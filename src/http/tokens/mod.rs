//! What `/api/v1/tokens` and `/admin/v1/tokens` have in common: bodies, filters, and from there to the use case. The
//! handlers in `api` and `admin` say whose tokens are meant.

pub(crate) mod acts;
pub(crate) mod answers;
pub(crate) mod bodies;
pub(crate) mod filter;

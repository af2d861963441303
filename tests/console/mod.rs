//! `/console/…`, as HTTP. What a real browser makes of the pages is tested in `browser/`.

mod account;
pub mod browser;
mod frame;
mod sign_in;

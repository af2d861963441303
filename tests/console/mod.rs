//! `/console/…`, as HTTP. What a real browser makes of the pages is tested in `browser/`.

mod account;
mod admin_pages;
mod admin_tokens;
pub mod browser;
mod catalog;
mod clients;
mod explain;
mod frame;
mod french;
mod legacy;
mod oidc;
mod overview;
pub mod provider;
mod rest;
mod security;
mod sign_in;
pub mod tokens;
mod users;

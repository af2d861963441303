pub mod apis;
mod clients;
pub mod plans;
mod tokens;
mod users;

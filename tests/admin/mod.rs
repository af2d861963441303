pub mod apis;
mod audit;
mod clients;
pub mod plans;
mod policies;
mod tokens;
mod users;
mod workspaces;

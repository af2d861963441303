//! Rules that hold for the whole code.

mod floors;
mod migrations;
mod routes;
mod statements;

//! Rules that hold for the whole code.

mod conformance;
mod floors;
mod migrations;
mod routes;
mod statements;

//! Rules that hold for the whole code.

mod conformance;
mod floors;
mod migrations;
mod mutants;
mod routes;
mod statements;

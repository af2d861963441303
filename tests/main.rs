//! The one integration-test binary. Its modules mirror the routes; every case that touches the store runs on both
//! databases, on PostgreSQL as an ignored test that `cargo xtask test` includes.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[macro_use]
mod support;
mod admin;
mod api;
mod browser;
mod cli;
mod clients;
mod cluster;
mod codebase;
mod console;
mod deploy;
mod faults;
mod first_run;
mod gateways;
mod guard_remote;
mod leaks;
mod management;
mod oauth20;
mod openapi;
mod store;
mod tls;
mod wire;

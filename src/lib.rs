//! Jeton: an OAuth 2.0 token service.
//!
//! The floors, lowest first: `domain` (pure rules), `store` and `cluster` (the database and the validation cache),
//! `service` (use cases), `http` (the wire). A floor names only lower floors; a test enforces it.

pub mod cli;
pub mod cluster;
pub mod config;
pub mod doctor;
pub mod domain;
pub mod http;
pub mod server;
pub mod service;
pub mod store;
pub mod telemetry;

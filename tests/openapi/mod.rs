//! The OpenAPI document, held against the server: what it says is what is served, to everybody whom it names and to nobody else.

mod authorization;
mod document;
mod errors;
mod examples;
mod operation;
mod schemathesis;

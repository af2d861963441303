//! The system benchmark: the built server under load, each number beside a baseline of the same run.
//!
//! Absolute numbers say little on a shared machine, so every measurement is paired with a measurement of something
//! known (a handler that does nothing, the database alone) right before or after it, and the ratios of several rounds
//! are reported. `cargo xtask bench` runs it; its output is Markdown.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the report is the product, progress goes beside it")]

mod api;
mod bare;
mod connection;
mod cores;
mod cpu;
mod facts;
mod generator;
mod jeton;
mod options;
mod pgbench;
mod plot;
mod postgres;
mod process;
mod report;
mod sample;
mod scenarios;
mod script;
mod sqlite;

use clap::Parser as _;

/// The server's allocator, so that the bare handler has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let options = options::Options::parse();
    match options.bare_server {
        Some(body_bytes) => bare::serve(body_bytes),
        None => scenarios::run(&options),
    }
}

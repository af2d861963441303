//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures the server under load, against baselines measured in the same run.
#[derive(Debug, Parser)]
#[command(name = "load", about)]
pub(crate) struct Options {
    /// What to measure; everything if nothing is named
    parts: Vec<Part>,
    /// Length of each measurement
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: Option<u32>,
    /// How often each pair is measured
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Two rounds of one second: shows that it works, not what is true
    #[arg(long)]
    pub(crate) quick: bool,
    /// Stored tokens at which `growth` measures
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    pub(crate) sizes: Vec<u64>,
    /// Where `growth` draws what it has found, as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Tokens that `footprint` caches
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) cached: usize,
    /// Be the bare handler, with a body of this many bytes
    #[arg(long, hide = true, value_name = "BYTES")]
    pub(crate) bare_server: Option<usize>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Introspect,
    AccessToken,
    Verify,
    Issue,
    Refresh,
    Revoke,
    Million,
    /// Only where it is named: it takes long
    Growth,
    Purge,
    Footprint,
    Console,
    Passwords,
}

impl Options {
    pub(crate) fn parts(&self) -> Vec<Part> {
        match &*self.parts {
            [] => Part::value_variants().iter().copied().filter(|part| *part != Part::Growth).collect(),
            named => named.to_vec(),
        }
    }

    pub(crate) fn measure(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(if self.quick { 1 } else { 5 }).into())
    }

    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 })
    }
}

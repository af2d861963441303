//! Log lines: structured, to standard error, secrets never among them.

use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::config::{Log, LogFormat};

/// Libraries that would write request heads, and so tokens, into the log at trace level.
const QUIET: [&str; 4] = ["h2=info", "hyper=info", "hyper_util=info", "rustls=info"];

/// Which lines are written, for as long as the process runs.
#[derive(Clone, Debug)]
pub struct Filter(reload::Handle<EnvFilter, Registry>);

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Filter {
    /// Takes the level of this configuration from now on; the format stays.
    ///
    /// # Errors
    /// When the level can't be read; then nothing has changed.
    pub fn set(&self, log: &Log) -> Result<(), Failure> {
        Ok(self.0.reload(filter(log)?)?)
    }
}

/// Starts logging for the process.
///
/// # Errors
/// When the filter can't be read, or logging was started before.
pub fn start(log: &Log) -> Result<Filter, Failure> {
    let (filter, handle) = reload::Layer::new(filter(log)?);
    let terminal = std::io::stderr().is_terminal();
    let pretty = match log.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let registry = tracing_subscriber::registry().with(filter);
    if pretty {
        let color = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(color).with_target(false);
        registry.with(lines).try_init()?;
    } else {
        let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
        registry.with(lines).try_init()?;
    }
    Ok(Filter(handle))
}

fn filter(log: &Log) -> Result<EnvFilter, Failure> {
    let mut filter = EnvFilter::builder().parse(&log.level)?;
    for directive in QUIET {
        filter = filter.add_directive(directive.parse()?);
    }
    Ok(filter)
}

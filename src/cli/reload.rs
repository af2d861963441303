//! SIGHUP: the configuration is read again, and what can change in a running service does.

use super::exit::Failed;
use super::notify::{self, State};
use crate::config::Config;
use crate::server::Running;
use crate::telemetry::Filter;

/// What is needed to do it, as often as somebody asks.
pub(super) struct Reload<'a> {
    pub(super) load: &'a dyn Fn() -> Result<Config, Failed>,
    /// What the service was started with.
    pub(super) started_with: Config,
    pub(super) filter: Filter,
}

impl Reload<'_> {
    /// Takes what can change ([`crate::config::LIVE_KEYS`]) and names what can't. A configuration that can't be read
    /// changes nothing.
    pub(super) fn again(&self, running: &Running) {
        notify::tell(State::Reloading);
        match (self.load)() {
            Err(failed) => tracing::error!(error = failed.message, "the configuration is left as it was"),
            Ok(config) => match self.filter.set(&config.log) {
                Err(error) => {
                    tracing::error!(error = format!("log.level: {error}"), "the configuration is left as it was");
                }
                Ok(()) => {
                    running.reload(&config);
                    let needs_restart = self.started_with.keys_that_need_a_restart(&config).join(", ");
                    tracing::info!(level = config.log.level, needs_restart, "the configuration was read again");
                }
            },
        }
        notify::tell(State::Ready);
    }
}

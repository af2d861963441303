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
    /// Applies `log.level` and reads the certificates again. A configuration that can't be read changes nothing.
    pub(super) fn again(&self, running: &Running) {
        notify::tell(State::Reloading);
        match (self.load)() {
            Err(failed) => tracing::error!(error = failed.message, "the configuration is left as it was"),
            Ok(config) => {
                running.reload_certificates(&config);
                match self.filter.set(&config.log) {
                    Err(error) => tracing::error!(%error, "log.level is left as it was"),
                    Ok(()) => {
                        let needs_restart = self.sections_changed_beside_the_level(config.clone()).join(", ");
                        tracing::info!(level = config.log.level, needs_restart, "the configuration was read again");
                    }
                }
            }
        }
        notify::tell(State::Ready);
    }

    /// Where something else differs, by the names of the top level.
    fn sections_changed_beside_the_level(&self, mut config: Config) -> Vec<String> {
        config.log.level.clone_from(&self.started_with.log.level);
        let table = |config: &Config| toml::Table::try_from(config).expect("a configuration is plain data");
        let (old, new) = (table(&self.started_with), table(&config));
        new.into_iter().filter(|(name, value)| old.get(name) != Some(value)).map(|(name, _)| name).collect()
    }
}

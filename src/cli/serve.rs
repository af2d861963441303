//! `jeton serve` and `jeton migrate`.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::{Exit, Failed};
use super::notify::{self, State};
use super::output;
use super::reload::Reload;
use crate::config::Config;
use crate::server::{self, Assembly};
use crate::telemetry;

pub(super) fn serve(load: &dyn Fn() -> Result<Config, Failed>) -> Result<(), Failed> {
    let config = load()?;
    let filter = telemetry::start(&config.log)
        .map_err(|error| Failed::new(Exit::BadConfiguration, format!("log.level: {error}")))?;
    // Best effort: a container may not allow it, and the connection limit holds either way.
    let _unchanged = rlimit::increase_nofile_limit(u64::MAX);
    let inherited = server::Inherited::take()?;
    runtime()?.block_on(run(inherited, Reload { load, started_with: config, filter })).map_err(Failed::from)
}

async fn run(inherited: server::Inherited, reload: Reload<'_>) -> anyhow::Result<()> {
    // Before anything is announced, so that a signal that comes early is not lost.
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be handled")?;
    let mut hang_up = signal(SignalKind::hangup()).context("SIGHUP can't be handled")?;
    let mut config = reload.started_with.clone();
    let sockets = server::bind(&mut config, inherited)?;
    let service = server::assemble(&config, Assembly::default()).await?;
    let welcome = server::announce(&config, &service).await?;
    let running = server::start(&config, sockets, service)?;
    tracing::info!(
        public = %running.public,
        management = %running.management,
        issuer = config.issuer(),
        database = running.service().store.backend_name(),
        version = env!("CARGO_PKG_VERSION"),
        "ready"
    );
    notify::tell(State::Ready);
    if let Some(text) = welcome {
        output::raw(text.as_bytes()).map_err(|failed| anyhow::anyhow!(failed.message))?;
    }
    let end = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok("SIGTERM"),
            _ = interrupt.recv() => break Ok("SIGINT"),
            _ = hang_up.recv() => reload.again(&running),
            why = running.outdated() => break Err(anyhow::anyhow!(why)),
            () = running.went_back() => anyhow::bail!(server::WENT_BACK),
        }
    };
    match &end {
        Ok(signal) => tracing::info!(signal, "shutting down"),
        Err(why) => tracing::error!(error = %why, "shutting down"),
    }
    notify::tell(State::Stopping);
    running.shut_down().await;
    tracing::info!("stopped");
    end.map(drop)
}

pub(super) fn migrate(config: &Config) -> Result<(), Failed> {
    runtime()?.block_on(async {
        server::ensure_directory(&config.data_dir)
            .map_err(|error| Failed::new(Exit::Failed, format!("{}: {error}", config.data_dir.display())))?;
        let store = server::open_store(config).await?;
        let migrated = store.migrate().await;
        store.close().await;
        migrated.map_err(|error| Failed::from(anyhow::Error::from(error)))
    })?;
    output::raw(b"The schema is up to date.\n")
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failed::internal)
}

//! `jeton store`: copies the database, and makes one that was restored from a copy fit to be served from.

use std::path::Path;

use anyhow::Context as _;

use super::assemble::{Assembly, Purpose, assemble};
use super::record::Record;
use crate::config::Config;
use crate::service::restore::{Restored, Restoring};
use crate::store;

/// Opens the database, which nobody may serve from, and does what [`Service::restored`] says.
///
/// [`Service::restored`]: crate::service::Service::restored
///
/// # Errors
/// Whatever keeps it from being done, in words for the operator.
pub async fn declare_restored(config: &Config, asked: Restoring) -> anyhow::Result<Restored> {
    let record = Record::of(&config.data_dir)?;
    let service = assemble(config, Assembly { purpose: Purpose::Restore, ..Assembly::default() }).await?;
    if service.store.is_empty().await? {
        anyhow::bail!("the database is empty: there is nothing in it that could be good again");
    }
    let restored = service.restored(asked, record.newest()).await.context("nothing was changed")?;
    if let (false, revision) = (asked.dry_run, restored.revision) {
        record.keep(revision).await?;
    }
    service.store.close().await;
    Ok(restored)
}

/// Writes a copy of the SQLite file to `path`, as of one moment; the service may go on to use it.
///
/// # Errors
/// When it is not SQLite, or the copy can't be made.
pub async fn back_up(config: &Config, path: &Path) -> anyhow::Result<()> {
    store::back_up(&config.database_url(), path).await.with_context(|| format!("{} can't be written", path.display()))
}

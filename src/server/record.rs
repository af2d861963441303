//! File `revision` of the data directory: the newest revision that this node has seen. It is not in the database, so that a
//! database that is older than it was is noticed at the next start.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Context as _;

use crate::domain::grant::Revision;
use crate::store::StoreError;

const FILE: &str = "revision";

/// What to do about a database that has gone back.
pub const WENT_BACK: &str = "the database has gone back to an earlier state: it was restored from a backup, or lost commits \
     in a failover, and what was revoked since then would be good again. Stop all nodes, recover the database to its last \
     moment if its write-ahead log is still there, else run `jeton store restored`; then start them";

/// What is written down, and where.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
    written: Arc<AtomicI64>,
}

impl Record {
    /// What the data directory says; revision 0 where it says nothing.
    ///
    /// # Errors
    /// When the file is there and can't be read.
    pub(crate) fn of(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join(FILE);
        let written = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().with_context(|| format!("{} holds no revision", path.display()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error).with_context(|| format!("{} can't be read", path.display())),
        };
        Ok(Self { path, written: Arc::new(AtomicI64::new(written)) })
    }

    pub(super) fn newest(&self) -> Revision {
        Revision::new(self.written.load(Ordering::Relaxed))
    }

    /// # Errors
    /// When this node has seen a later state of the database than one whose newest revision is `head`.
    pub(crate) fn allows(&self, head: Revision) -> anyhow::Result<()> {
        if head >= self.newest() {
            return Ok(());
        }
        let (head, seen) = (head.value(), self.newest().value());
        anyhow::bail!("{WENT_BACK} (it is at revision {head}; {} says {seen})", self.path.display())
    }

    /// Writes it down where it is news, and makes sure that it is on disk.
    ///
    /// # Errors
    /// [`StoreError::DataDirectory`]; it is tried again next time.
    pub(super) async fn keep(&self, newest: Revision) -> Result<(), StoreError> {
        if newest <= self.newest() {
            return Ok(());
        }
        let (path, written) = (self.path.clone(), Arc::clone(&self.written));
        let writing = tokio::task::spawn_blocking(move || {
            replace(&path, &format!("{}\n", newest.value()))
                .map_err(|error| StoreError::DataDirectory(format!("{} can't be written", path.display()), error))?;
            written.fetch_max(newest.value(), Ordering::Relaxed);
            Ok(())
        });
        writing.await.unwrap_or(Err(StoreError::Unavailable(None)))
    }
}

/// A reader finds the old text or the new one, whatever happens meanwhile.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_written_refuses_what_is_older() {
        let directory = tempfile::tempdir().unwrap();
        let record = Record::of(directory.path()).unwrap();
        record.allows(Revision::ZERO).unwrap();
        record.keep(Revision::new(7)).await.unwrap();
        record.keep(Revision::new(5)).await.unwrap();
        let again = Record::of(directory.path()).unwrap();
        assert!(again.allows(Revision::new(7)).is_ok() && again.allows(Revision::new(8)).is_ok());
        assert!(again.allows(Revision::new(6)).unwrap_err().to_string().contains("jeton store restored"));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn a_file_that_holds_no_revision_is_an_error_and_not_revision_0() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "").unwrap();
        assert!(Record::of(directory.path()).is_err());
    }
}

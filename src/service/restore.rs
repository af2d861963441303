//! What follows a restore. A backup holds what was true when it was made: what was revoked since then is good again, and the
//! database can't know what that was. So everything in it that could be presented is made void.

use serde::Serialize;

use super::error::ApiFailure;
use super::{RequestContext, Service};
use crate::domain::clock::Timestamp;
use crate::domain::grant::Revision;
use crate::domain::secret::Secret;
use crate::store::restore::AfterRestore;

/// What the operator says of the restore.
#[derive(Clone, Copy, Debug)]
pub struct Restoring {
    /// For the audit log.
    pub backup_taken_at: Option<Timestamp>,
    /// Tokens stay good: whoever says so revokes by other means what was revoked since the backup.
    pub keep_tokens: bool,
    pub dry_run: bool,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Restored {
    pub dry_run: bool,
    /// Where the restored log ended, and where it goes on: beyond every revision that was ever given out.
    pub revision_before: Revision,
    pub revision: Revision,
    /// Whose tokens are dead; none with `keep_tokens`.
    pub workspaces: u64,
    pub console_sessions_ended: u64,
    pub tokens_kept: bool,
    /// Opens the page where the first operator sets a password.
    #[serde(skip)]
    pub link: Option<Secret<String>>,
}

/// Revisions after a restore begin at the next multiple of this. More than can have been given out since the backup, and
/// small enough for eight thousand restores until numbers in JSON lose precision.
const STRIDE: i64 = 1 << 40;

impl Service {
    /// Makes void what may have been revoked since the backup: every token and key, every session of the console, every link
    /// that sets a password. The log goes on at a revision beyond `seen` and all that was ever given out, so that nodes, caches
    /// and followers that have seen what was lost start afresh. One audit row for each workspace.
    ///
    /// # Errors
    /// The store's.
    pub async fn restored(&self, asked: Restoring, seen: Revision) -> Result<Restored, ApiFailure> {
        let before = self.store.head().await?;
        let revision = Revision::new((before.max(seen).value() / STRIDE + 1) * STRIDE);
        let (now, workspaces) = (self.clock.now(), self.store.list_all_workspaces().await?);
        let detail = serde_json::json!({
            "backup_taken_at": asked.backup_taken_at, "revision_before": before, "revision": revision,
            "tokens_kept": asked.keep_tokens,
        });
        let event = |workspace| {
            let (actor, target) = ("system".to_owned(), format!("{workspace}"));
            self.audit_event(&RequestContext::default(), workspace, actor, "store.restore", target).with_detail(&detail)
        };
        let after = AfterRestore {
            revision,
            cut_off: !asked.keep_tokens,
            at: now,
            audit: workspaces.iter().map(|workspace| event(*workspace)).collect(),
        };
        let ended =
            if asked.dry_run { self.store.count_console_sessions().await? } else { self.store.restored(after).await? };
        let link = if asked.dry_run { None } else { self.operators_link().await? };
        Ok(Restored {
            dry_run: asked.dry_run,
            revision_before: before,
            revision,
            workspaces: if asked.keep_tokens { 0 } else { workspaces.len() as u64 },
            console_sessions_ended: ended,
            tokens_kept: asked.keep_tokens,
            link,
        })
    }
}

//! Table `cutoff`: mass revocation by one row.

use super::StoreError;
use super::database::Db;
use super::statement::Statement;
use crate::domain::clock::Timestamp;
use crate::domain::grant::Revision;
use crate::domain::ids::{ClientKey, ImportId, UserId, WorkspaceId};

static RAISE: Statement = Statement::both(
    "cutoff.raise",
    "INSERT INTO cutoff (subject, policy, revision, at, raised_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (subject, policy) \
     DO UPDATE SET revision = excluded.revision, at = excluded.at, raised_by = excluded.raised_by",
);

pub(super) const STATEMENTS: &[&Statement] = &[&RAISE];

/// Whose grants a mass revocation reaches. The ids are unique across kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject([u8; 16]);

impl Subject {
    /// Of a log entry, which does not say of what kind it is.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<WorkspaceId> for Subject {
    fn from(id: WorkspaceId) -> Self {
        Self(*id.as_bytes())
    }
}

impl From<UserId> for Subject {
    fn from(id: UserId) -> Self {
        Self(*id.as_bytes())
    }
}

impl From<ClientKey> for Subject {
    fn from(id: ClientKey) -> Self {
        Self(*id.as_bytes())
    }
}

impl From<ImportId> for Subject {
    fn from(id: ImportId) -> Self {
        Self(*id.as_bytes())
    }
}

/// Kills every grant of `subject` under `policy` (all policies when empty) that is older than `revision`.
pub(super) async fn raise(
    db: &mut Db<'_>,
    subject: Subject,
    policy: &str,
    revision: Revision,
    at: Timestamp,
    by: &str,
) -> Result<(), StoreError> {
    let sql = db.sql(&RAISE);
    on_conn!(db, |conn| {
        let query = sqlx::query(sql).bind(&subject.0[..]).bind(policy).bind(revision.value()).bind(at.ms()).bind(by);
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

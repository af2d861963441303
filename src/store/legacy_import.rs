//! Table `legacy_import`: one row per import of tokens of an older system.

use sqlx::FromRow;

use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::ids::{ClientKey, ImportId, UserId, WorkspaceId};
use crate::domain::keys::KeyVersion;
use crate::domain::legacy::Hashed;
use crate::domain::policy::PolicyVersion;
use crate::domain::scope::Scopes;

static INSERT: Statement = Statement::both(
    "legacy_import.insert",
    "INSERT INTO legacy_import (id, workspace_id, source, policy, policy_version, scheme, hashed, separator, hmac_key, \
     hmac_key_version, deprecated_at, deadline, link, scopes, fallback_user, fallback_client, state, imported, skipped, \
     refused, upgraded, position, created_by, created_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'open', 0, 0, 0, 0, 0, $17, $18, 1)",
);

macro_rules! import_select {
    () => {
        "SELECT id, workspace_id, source, policy, policy_version, scheme, hashed, separator, hmac_key, hmac_key_version, \
         deprecated_at, deadline, link, scopes, fallback_user, fallback_client, state, imported, skipped, refused, \
         upgraded, position, created_by, created_at, finished_at, version FROM legacy_import WHERE "
    };
}

static FIND: Statement = Statement::both("legacy_import.find", concat!(import_select!(), "id = $1"));
/// Held while a batch of its rows is written, so that no batch overtakes the import's revocation.
static LOCK: Statement = Statement::each(
    "legacy_import.lock",
    concat!(import_select!(), "id = $1"),
    concat!(import_select!(), "id = $1 FOR UPDATE"),
);
static LIST: Statement = Statement::both(
    "legacy_import.list",
    concat!(
        import_select!(),
        "workspace_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4"
    ),
);
static EXTEND: Statement = Statement::both(
    "legacy_import.extend",
    "UPDATE legacy_import SET deadline = $2, version = version + 1 WHERE id = $1 AND state IN ('open', 'complete')",
);
static REVOKE: Statement = Statement::both(
    "legacy_import.revoke",
    "UPDATE legacy_import SET state = 'revoked', finished_at = $2, version = version + 1 \
     WHERE id = $1 AND state IN ('open', 'complete')",
);
static PROGRESS: Statement = Statement::both(
    "legacy_import.progress",
    "UPDATE legacy_import SET imported = $2, skipped = $3, refused = $4, position = $5, state = $6, finished_at = $7, \
     version = version + 1 WHERE id = $1",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND, &LOCK, &LIST, &EXTEND, &REVOKE, &PROGRESS];

/// An import to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImport {
    pub id: ImportId,
    pub workspace: WorkspaceId,
    pub source: String,
    pub policy: String,
    pub policy_version: PolicyVersion,
    pub scheme: &'static str,
    pub hashed: Hashed,
    pub separator: char,
    /// The key of scheme `hmac-sha256`, sealed.
    pub sealed_key: Option<SealedKey>,
    pub deprecated_at: Timestamp,
    pub deadline: Timestamp,
    pub link: Option<String>,
    pub scopes: Scopes,
    pub fallback: Option<Fallback>,
    pub created_by: String,
    pub created_at: Timestamp,
}

/// A secret that only a process with the master key can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    pub bytes: Vec<u8>,
    pub key_version: KeyVersion,
}

/// Whose the tokens are whose owner is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    User(UserId),
    Client(ClientKey),
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// Takes rows.
    Open,
    /// The file has been read to its end; it takes rows nevertheless.
    Complete,
    Revoked,
    /// Its rows were removed some time after its deadline.
    Purged,
}

impl ImportState {
    const ALL: [Self; 4] = [Self::Open, Self::Complete, Self::Revoked, Self::Purged];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Revoked => "revoked",
            Self::Purged => "purged",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether tokens of it may be imported and may be used.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Complete)
    }
}

/// What can happen to an import besides rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportChange {
    Create(Box<NewImport>),
    Extend { id: ImportId, workspace: WorkspaceId, deadline: Timestamp },
    Revoke(ImportId),
}

/// A stored import.
#[derive(Clone, Debug)]
pub struct Import {
    pub new: NewImport,
    pub state: ImportState,
    pub tally: Tally,
    pub upgraded: i64,
    pub finished_at: Option<Timestamp>,
    pub version: i64,
}

/// How many rows have come, and up to which line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Over all uploads.
    pub imported: i64,
    /// Lines since line 1 was last sent that were there before.
    pub skipped: i64,
    /// Lines since line 1 was last sent that can't be imported.
    pub refused: i64,
    pub position: i64,
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    source: String,
    policy: String,
    policy_version: i64,
    scheme: String,
    hashed: String,
    separator: String,
    hmac_key: Option<Vec<u8>>,
    hmac_key_version: Option<i32>,
    deprecated_at: i64,
    deadline: i64,
    link: Option<String>,
    scopes: String,
    fallback_user: Option<Vec<u8>>,
    fallback_client: Option<Vec<u8>>,
    state: String,
    imported: i64,
    skipped: i64,
    refused: i64,
    upgraded: i64,
    position: i64,
    created_by: String,
    created_at: i64,
    finished_at: Option<i64>,
    version: i64,
}

impl TryFrom<Row> for Import {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let fallback = match (row.fallback_user, row.fallback_client) {
            (Some(id), _) => Some(Fallback::User(UserId::from_bytes(decode::id_bytes(&id)?))),
            (None, Some(key)) => Some(Fallback::Client(ClientKey::from_bytes(decode::id_bytes(&key)?))),
            (None, None) => None,
        };
        let scheme = crate::domain::legacy::Scheme::NAMES.into_iter().find(|name| *name == row.scheme);
        let new = NewImport {
            id: ImportId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: workspace::id(&row.workspace_id)?,
            source: row.source,
            policy: row.policy,
            policy_version: PolicyVersion::new(row.policy_version),
            scheme: scheme.ok_or(StoreError::Corrupt("scheme"))?,
            hashed: decode::word(&row.hashed, Hashed::from_name)?,
            separator: row.separator.chars().next().ok_or(StoreError::Corrupt("separator"))?,
            sealed_key: sealed_key(row.hmac_key, row.hmac_key_version),
            deprecated_at: Timestamp::from_ms(row.deprecated_at),
            deadline: Timestamp::from_ms(row.deadline),
            link: row.link,
            scopes: row.scopes.parse().ok().ok_or(StoreError::Corrupt("scope"))?,
            fallback,
            created_by: row.created_by,
            created_at: Timestamp::from_ms(row.created_at),
        };
        Ok(Self {
            new,
            state: decode::word(&row.state, ImportState::from_name)?,
            tally: Tally { imported: row.imported, skipped: row.skipped, refused: row.refused, position: row.position },
            upgraded: row.upgraded,
            finished_at: decode::moment(row.finished_at),
            version: row.version,
        })
    }
}

pub(super) fn sealed_key(bytes: Option<Vec<u8>>, version: Option<i32>) -> Option<SealedKey> {
    let (bytes, version) = bytes.zip(version)?;
    Some(SealedKey { bytes, key_version: KeyVersion::from_i32(version) })
}

/// Makes the change inside the transaction that logs it; false when there is nothing to change.
pub(super) async fn apply(db: &mut Db<'_>, change: &ImportChange, at: Timestamp) -> Result<bool, StoreError> {
    let done = match change {
        ImportChange::Create(import) => {
            insert(db, import).await?;
            1
        }
        ImportChange::Extend { id, deadline, .. } => update(db, &EXTEND, *id, *deadline).await?,
        ImportChange::Revoke(id) => update(db, &REVOKE, *id, at).await?,
    };
    Ok(done > 0)
}

async fn update(
    db: &mut Db<'_>,
    statement: &'static Statement,
    id: ImportId,
    moment: Timestamp,
) -> Result<u64, StoreError> {
    let sql = db.sql(statement);
    let key: &[u8] = id.as_bytes();
    Ok(on_conn!(db, |conn| {
        let query = sqlx::query(sql).bind(key).bind(moment.ms());
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?)
}

async fn insert(db: &mut Db<'_>, import: &NewImport) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let (id, workspace): (&[u8], &[u8]) = (import.id.as_bytes(), import.workspace.as_bytes());
    let (user, client) = match &import.fallback {
        Some(Fallback::User(id)) => (Some(&id.as_bytes()[..]), None),
        Some(Fallback::Client(key)) => (None, Some(&key.as_bytes()[..])),
        None => (None, None),
    };
    on_conn!(db, |conn| {
        sqlx::query(sql)
            .bind(id)
            .bind(workspace)
            .bind(&import.source)
            .bind(&import.policy)
            .bind(import.policy_version.value())
            .bind(import.scheme)
            .bind(import.hashed.as_str())
            .bind(import.separator.to_string())
            .bind(import.sealed_key.as_ref().map(|sealed| &sealed.bytes[..]))
            .bind(import.sealed_key.as_ref().map(|sealed| sealed.key_version.as_i32()))
            .bind(import.deprecated_at.ms())
            .bind(import.deadline.ms())
            .bind(&import.link)
            .bind(import.scopes.to_string())
            .bind(user)
            .bind(client)
            .bind(&import.created_by)
            .bind(import.created_at.ms())
            .execute(&mut **conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Reads an import and holds its row until the transaction ends.
pub(super) async fn lock(db: &mut Db<'_>, id: ImportId) -> Result<Option<Import>, StoreError> {
    let sql = db.sql(&LOCK);
    fetch(db, sql, id).await
}

async fn fetch(db: &mut Db<'_>, sql: &'static str, id: ImportId) -> Result<Option<Import>, StoreError> {
    let key: &[u8] = id.as_bytes();
    let row: Option<Row> = on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?;
    row.map(TryInto::try_into).transpose()
}

/// Writes how far a locked import has come.
pub(super) async fn progress(
    db: &mut Db<'_>,
    id: ImportId,
    tally: Tally,
    state: ImportState,
    finished_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let sql = db.sql(&PROGRESS);
    let key: &[u8] = id.as_bytes();
    on_conn!(db, |conn| {
        sqlx::query(sql)
            .bind(key)
            .bind(tally.imported)
            .bind(tally.skipped)
            .bind(tally.refused)
            .bind(tally.position)
            .bind(state.as_str())
            .bind(finished_at.map(Timestamp::ms))
            .execute(&mut **conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Where a page of imports ended.
#[derive(Clone, Copy, Debug)]
pub struct ImportCursor {
    pub created_at: Timestamp,
    pub id: ImportId,
}

impl ImportCursor {
    pub const START: Self = Self { created_at: Timestamp::from_ms(i64::MAX), id: ImportId::from_bytes([0xff; 16]) };
}

impl Store {
    pub(crate) async fn find_import(&self, id: ImportId) -> Result<Option<Import>, StoreError> {
        let found = self.database.read(move |mut db| {
            Box::pin(async move {
                let sql = db.sql(&FIND);
                fetch(&mut db, sql, id).await
            })
        });
        found.await
    }

    /// The imports of a workspace, newest first.
    pub(crate) async fn list_imports(
        &self,
        workspace: WorkspaceId,
        after: ImportCursor,
        limit: u32,
    ) -> Result<Vec<Import>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let (workspace, last): (&[u8], &[u8]) = (workspace.as_bytes(), after.id.as_bytes());
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql)
                        .bind(workspace)
                        .bind(after.created_at.ms())
                        .bind(last)
                        .bind(i64::from(limit))
                        .fetch_all(&mut **conn)
                        .await)?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

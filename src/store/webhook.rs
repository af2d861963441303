//! Table `webhook`: receivers of events as administrators manage them. How far each has got is [`super::webhook_delivery`]'s.

use std::sync::Arc;

use sqlx::FromRow;

use super::audit::{self, AuditEvent};
use super::database::Db;
use super::event::EventSeq;
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventKind;
use crate::domain::ids::{WebhookId, WorkspaceId};
use crate::domain::keys::KeyVersion;
use crate::domain::webhook::{Condition, WebhookUrl};

macro_rules! webhook_columns {
    () => {
        "h.id, h.workspace_id, h.url, h.description, h.types, h.enabled, h.secret, h.secret_key_version, h.previous_secret, \
         h.previous_secret_key_version, h.previous_secret_until, h.created_at, h.version, h.position_seq, h.due_at, h.claimed_until, \
         h.failures, h.failing_since, h.last_success_at, h.last_error_at, h.last_error"
    };
}
pub(super) use webhook_columns;

/// It is told what is numbered from now on.
static INSERT: Statement = Statement::both(
    "webhook.insert",
    "INSERT INTO webhook (id, workspace_id, url, description, types, enabled, secret, secret_key_version, created_at, version, \
     position_seq, due_at, claimed_until, failures) SELECT $1, $2, $3, $4, $5, TRUE, $6, $7, $8, 1, seq, 0, 0, 0 FROM event_head \
     WHERE id = 1 AND (SELECT COUNT(*) FROM webhook WHERE workspace_id = $2) < $9",
);
static FIND: Statement = Statement::both(
    "webhook.find",
    concat!("SELECT ", webhook_columns!(), " FROM webhook h WHERE h.id = $1 AND h.workspace_id = $2"),
);
static LIST: Statement = Statement::both(
    "webhook.list",
    concat!(
        "SELECT ",
        webhook_columns!(),
        " FROM webhook h WHERE h.workspace_id = $1 ORDER BY h.created_at DESC, h.id DESC"
    ),
);
/// Whoever delivers now stops, and the next delivery is due at once.
static UPDATE: Statement = Statement::both(
    "webhook.update",
    "UPDATE webhook SET url = $3, description = $4, types = $5, enabled = $6, secret = $7, secret_key_version = $8, \
     previous_secret = $9, previous_secret_key_version = $10, previous_secret_until = $11, version = version + 1, due_at = 0, \
     claim = NULL, claimed_until = 0, failures = 0, failing_since = NULL WHERE id = $1 AND version = $2",
);
static DELETE: Statement = Statement::both("webhook.delete", "DELETE FROM webhook WHERE id = $1 AND workspace_id = $2");
static SEALED_OTHERWISE: Statement = Statement::both(
    "webhook.sealed_otherwise",
    concat!(
        "SELECT ",
        webhook_columns!(),
        " FROM webhook h WHERE h.secret_key_version <> $1 OR h.previous_secret_key_version <> $1 ORDER BY h.id LIMIT $2"
    ),
);
static RESEAL: Statement = Statement::both(
    "webhook.reseal",
    "UPDATE webhook SET secret = $3, secret_key_version = $4, previous_secret = $5, previous_secret_key_version = $6 \
     WHERE id = $1 AND version = $2",
);
/// Of how many events it has not heard yet; counts no further than the limit.
static BEHIND: Statement = Statement::both(
    "webhook.behind",
    "SELECT COUNT(*) FROM (SELECT 1 FROM event WHERE workspace_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS waiting",
);

pub(super) const STATEMENTS: &[&Statement] =
    &[&INSERT, &FIND, &LIST, &UPDATE, &DELETE, &SEALED_OTHERWISE, &RESEAL, &BEHIND];

/// A receiver of events.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub id: WebhookId,
    pub workspace: WorkspaceId,
    pub url: WebhookUrl,
    /// What people call it; may be empty.
    pub description: String,
    /// Which events it wants; none named: all.
    pub types: Vec<EventKind>,
    pub enabled: bool,
    pub secret: SealedSecret,
    pub previous_secret: Option<PreviousSecret>,
    pub created_at: Timestamp,
    pub version: i64,
    pub progress: Progress,
}

/// A secret that is kept readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    pub bytes: Vec<u8>,
    pub key_version: KeyVersion,
}

/// The secret before this one, which deliveries are signed with too.
#[derive(Clone, Debug)]
pub struct PreviousSecret {
    pub secret: SealedSecret,
    pub until: Timestamp,
}

/// How far deliveries have got.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The last event that it was told of, or did not want.
    pub position: EventSeq,
    /// Not tried before.
    pub due_at: Timestamp,
    /// In a row.
    pub failures: u32,
    pub failing_since: Option<Timestamp>,
    pub last_success_at: Option<Timestamp>,
    pub last_error_at: Option<Timestamp>,
    pub last_error: Option<String>,
}

impl Webhook {
    #[must_use]
    pub fn wants(&self, kind: EventKind) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }

    #[must_use]
    pub const fn condition(&self) -> Condition {
        match (self.enabled, self.progress.failing_since) {
            (false, _) => Condition::Off,
            (true, Some(_)) => Condition::Failing,
            (true, None) => Condition::Well,
        }
    }
}

#[derive(FromRow)]
pub(super) struct Row {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    url: String,
    description: String,
    types: String,
    enabled: bool,
    secret: Vec<u8>,
    secret_key_version: i32,
    previous_secret: Option<Vec<u8>>,
    previous_secret_key_version: Option<i32>,
    previous_secret_until: Option<i64>,
    created_at: i64,
    version: i64,
    position_seq: i64,
    due_at: i64,
    failures: i64,
    failing_since: Option<i64>,
    last_success_at: Option<i64>,
    last_error_at: Option<i64>,
    last_error: Option<String>,
}

impl TryFrom<Row> for Webhook {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let sealed = |bytes, version| SealedSecret { bytes, key_version: KeyVersion::from_i32(version) };
        let previous = row.previous_secret.zip(row.previous_secret_key_version).zip(row.previous_secret_until);
        let types = row.types.split_whitespace().map(|word| decode::word(word, |word| word.parse().ok()));
        Ok(Self {
            id: WebhookId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: workspace::id(&row.workspace_id)?,
            url: row.url.parse().ok().ok_or(StoreError::Corrupt("URL"))?,
            description: row.description,
            types: types.collect::<Result<_, _>>()?,
            enabled: row.enabled,
            secret: sealed(row.secret, row.secret_key_version),
            previous_secret: previous.map(|((bytes, version), until)| PreviousSecret {
                secret: sealed(bytes, version),
                until: Timestamp::from_ms(until),
            }),
            created_at: Timestamp::from_ms(row.created_at),
            version: row.version,
            progress: Progress {
                position: EventSeq::from_column(row.position_seq),
                due_at: Timestamp::from_ms(row.due_at),
                failures: u32::try_from(row.failures).unwrap_or(u32::MAX),
                failing_since: decode::moment(row.failing_since),
                last_success_at: decode::moment(row.last_success_at),
                last_error_at: decode::moment(row.last_error_at),
                last_error: row.last_error,
            },
        })
    }
}

fn words(types: &[EventKind]) -> String {
    types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")
}

async fn insert(db: &mut Db<'_>, hook: &Webhook, at_most: u32) -> Result<bool, StoreError> {
    let sql = db.sql(&INSERT);
    let (id, workspace): (&[u8], &[u8]) = (hook.id.as_bytes(), hook.workspace.as_bytes());
    let rows = on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(id)
            .bind(workspace)
            .bind(hook.url.as_str())
            .bind(&hook.description)
            .bind(words(&hook.types))
            .bind(&hook.secret.bytes)
            .bind(hook.secret.key_version.as_i32())
            .bind(hook.created_at.ms())
            .bind(i64::from(at_most));
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

async fn update(db: &mut Db<'_>, hook: &Webhook) -> Result<bool, StoreError> {
    let sql = db.sql(&UPDATE);
    let id: &[u8] = hook.id.as_bytes();
    let previous = hook.previous_secret.as_ref();
    let rows = on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(id)
            .bind(hook.version)
            .bind(hook.url.as_str())
            .bind(&hook.description)
            .bind(words(&hook.types))
            .bind(hook.enabled)
            .bind(&hook.secret.bytes)
            .bind(hook.secret.key_version.as_i32())
            .bind(previous.map(|previous| &previous.secret.bytes))
            .bind(previous.map(|previous| previous.secret.key_version.as_i32()))
            .bind(previous.map(|previous| previous.until.ms()));
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

async fn delete(db: &mut Db<'_>, workspace: WorkspaceId, id: WebhookId) -> Result<bool, StoreError> {
    let sql = db.sql(&DELETE);
    let (id, workspace): (&[u8], &[u8]) = (id.as_bytes(), workspace.as_bytes());
    let rows = on_conn!(db, |conn| {
        sqlx::query(sql).bind(id).bind(workspace).execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

async fn reseal(db: &mut Db<'_>, hook: &Webhook) -> Result<(), StoreError> {
    let sql = db.sql(&RESEAL);
    let id: &[u8] = hook.id.as_bytes();
    let previous = hook.previous_secret.as_ref();
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(id)
            .bind(hook.version)
            .bind(&hook.secret.bytes)
            .bind(hook.secret.key_version.as_i32())
            .bind(previous.map(|previous| &previous.secret.bytes))
            .bind(previous.map(|previous| previous.secret.key_version.as_i32()));
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

impl Store {
    /// False where the workspace has as many as it may have.
    pub(crate) async fn insert_webhook(
        &self,
        hook: Webhook,
        at_most: u32,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let work = Arc::new((hook, audit));
        self.database
            .transact("webhook.insert", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let done = insert(&mut db, &work.0, at_most).await?;
                    if done {
                        audit::insert(&mut db, &[&work.1]).await?;
                    }
                    Ok(done)
                })
            })
            .await
    }

    pub(crate) async fn find_webhook(
        &self,
        workspace: WorkspaceId,
        id: WebhookId,
    ) -> Result<Option<Webhook>, StoreError> {
        let found: Option<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND);
                    let (id, workspace): (&[u8], &[u8]) = (id.as_bytes(), workspace.as_bytes());
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_as(sql).bind(id).bind(workspace).fetch_optional(&mut **conn).await
                    })?)
                })
            })
            .await?;
        found.map(TryInto::try_into).transpose()
    }

    /// All of a workspace, newest first.
    pub(crate) async fn list_webhooks(&self, workspace: WorkspaceId) -> Result<Vec<Webhook>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let workspace: &[u8] = workspace.as_bytes();
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql).bind(workspace).fetch_all(&mut **conn).await)?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Writes `hook` over the version that it was read at; false when that is no longer the newest.
    pub(crate) async fn update_webhook(&self, hook: Webhook, audit: AuditEvent) -> Result<bool, StoreError> {
        let work = Arc::new((hook, audit));
        self.database
            .transact("webhook.update", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let done = update(&mut db, &work.0).await?;
                    if done {
                        audit::insert(&mut db, &[&work.1]).await?;
                    }
                    Ok(done)
                })
            })
            .await
    }

    /// False when it is gone already.
    pub(crate) async fn delete_webhook(
        &self,
        workspace: WorkspaceId,
        id: WebhookId,
        audit: AuditEvent,
    ) -> Result<bool, StoreError> {
        let audit = Arc::new(audit);
        self.database
            .transact("webhook.delete", move |mut db| {
                let audit = Arc::clone(&audit);
                Box::pin(async move {
                    let done = delete(&mut db, workspace, id).await?;
                    if done {
                        audit::insert(&mut db, &[&*audit]).await?;
                    }
                    Ok(done)
                })
            })
            .await
    }

    /// Some of those with a secret that is sealed under another key than this.
    pub(crate) async fn list_webhooks_sealed_otherwise(
        &self,
        key: KeyVersion,
        limit: u32,
    ) -> Result<Vec<Webhook>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&SEALED_OTHERWISE);
                    Ok(on_conn!(db, |conn| {
                        sqlx::query_as(sql).bind(key.as_i32()).bind(i64::from(limit)).fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Writes the same secrets, sealed anew, unless somebody has edited it meanwhile.
    pub(crate) async fn reseal_webhook(&self, hook: Webhook) -> Result<(), StoreError> {
        let hook = Arc::new(hook);
        self.database
            .transact("webhook.reseal", move |mut db| {
                let hook = Arc::clone(&hook);
                Box::pin(async move { reseal(&mut db, &hook).await })
            })
            .await
    }

    /// How many events follow this one in its workspace, up to `limit`.
    pub(crate) async fn count_events_after(
        &self,
        workspace: WorkspaceId,
        position: EventSeq,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let count: i64 = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&BEHIND);
                    let workspace: &[u8] = workspace.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query_scalar(sql).bind(workspace).bind(position.column());
                        query.bind(i64::from(limit)).fetch_one(&mut **conn).await
                    })?)
                })
            })
            .await?;
        Ok(count.unsigned_abs())
    }
}

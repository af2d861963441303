//! Table `console_session`: who is signed in to the console. A session is found by the digest of its cookie.

use sqlx::FromRow;

use super::audit::AuditEvent;
use super::database::Db;
use super::statement::Statement;
use super::{Store, StoreError, audit, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Revision, WorkspaceRef};
use crate::domain::ids::{ConsoleSessionId, UserId};
use crate::domain::secret::Digest;

static INSERT: Statement = Statement::both(
    "console_session.insert",
    "INSERT INTO console_session (id, digest, user_id, created_at, last_seen_at, expires_at, ip, user_agent) \
     VALUES ($1, $2, $3, $4, $4, $5, $6, $7)",
);
/// The log position is read with the session: what its user creates dies by any later cut-off.
static FIND: Statement = Statement::both(
    "console_session.find",
    "SELECT s.id, s.user_id, s.created_at, s.last_seen_at, s.expires_at, s.ip, s.user_agent, w.id AS workspace_id, \
     w.name AS workspace_name, h.seq AS revision FROM console_session s JOIN user_account u ON u.id = s.user_id \
     JOIN workspace w ON w.id = u.workspace_id JOIN revocation_head h ON h.id = 1 \
     WHERE s.digest = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND u.deleted_at IS NULL AND w.deleted_at IS NULL",
);
static LIST: Statement = Statement::both(
    "console_session.list",
    "SELECT id, created_at, last_seen_at, expires_at, ip, user_agent FROM console_session \
     WHERE user_id = $1 AND expires_at > $2 AND last_seen_at > $3 ORDER BY last_seen_at DESC, id LIMIT $4",
);
static TOUCH: Statement =
    Statement::both("console_session.touch", "UPDATE console_session SET last_seen_at = $2 WHERE id = $1");
static END: Statement =
    Statement::both("console_session.end", "DELETE FROM console_session WHERE user_id = $1 AND id = $2");
static END_OTHERS: Statement =
    Statement::both("console_session.end_others", "DELETE FROM console_session WHERE user_id = $1 AND id <> $2");
static FORGET_ENDED: Statement = Statement::both(
    "console_session.forget_ended",
    "DELETE FROM console_session WHERE user_id = $1 AND (expires_at <= $2 OR last_seen_at <= $3)",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND, &LIST, &TOUCH, &END, &END_OTHERS, &FORGET_ENDED];

/// Sessions of one user that are shown; more are made only by a program.
const MAX_LISTED: i64 = 100;

/// A session to store.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub id: ConsoleSessionId,
    pub digest: Digest,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// A session as its user sees it.
#[derive(Clone, Debug)]
pub struct ConsoleSession {
    pub id: ConsoleSessionId,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

/// A live session, and for whom it acts.
#[derive(Clone, Debug)]
pub struct FoundSession {
    pub session: ConsoleSession,
    pub user: UserId,
    pub workspace: WorkspaceRef,
    /// As of when the session was alive.
    pub as_of: Revision,
}

/// When sessions count as ended.
#[derive(Clone, Copy, Debug)]
pub struct SessionsAt {
    pub now: Timestamp,
    /// Sessions that were last seen at this moment or before have ended.
    pub idle_since: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    created_at: i64,
    last_seen_at: i64,
    expires_at: i64,
    ip: Option<String>,
    user_agent: Option<String>,
}

#[derive(FromRow)]
struct FoundRow {
    #[sqlx(flatten)]
    session: Row,
    user_id: Vec<u8>,
    workspace_id: Vec<u8>,
    workspace_name: String,
    revision: i64,
}

impl TryFrom<Row> for ConsoleSession {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConsoleSessionId::from_bytes(decode::id_bytes(&row.id)?),
            created_at: Timestamp::from_ms(row.created_at),
            last_seen_at: Timestamp::from_ms(row.last_seen_at),
            expires_at: Timestamp::from_ms(row.expires_at),
            ip: row.ip,
            user_agent: row.user_agent,
        })
    }
}

impl TryFrom<FoundRow> for FoundSession {
    type Error = StoreError;

    fn try_from(row: FoundRow) -> Result<Self, StoreError> {
        Ok(Self {
            session: row.session.try_into()?,
            user: UserId::from_bytes(decode::id_bytes(&row.user_id)?),
            workspace: WorkspaceRef { id: workspace::id(&row.workspace_id)?, name: row.workspace_name.into() },
            as_of: Revision::new(row.revision),
        })
    }
}

async fn insert(db: &mut Db<'_>, session: &NewSession) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let (id, user): (&[u8], &[u8]) = (session.id.as_bytes(), session.user.as_bytes());
    on_conn!(db, |conn| {
        sqlx::query(sql)
            .bind(id)
            .bind(&session.digest.as_bytes()[..])
            .bind(user)
            .bind(session.created_at.ms())
            .bind(session.expires_at.ms())
            .bind(&session.ip)
            .bind(&session.user_agent)
            .execute(&mut **conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Ends all sessions of a user but `kept`; returns how many.
pub(super) async fn end_others(
    db: &mut Db<'_>,
    user: UserId,
    kept: Option<ConsoleSessionId>,
) -> Result<u64, StoreError> {
    let sql = db.sql(&END_OTHERS);
    // No session has the id of zeros.
    let kept = kept.map_or([0; 16], |id| *id.as_bytes());
    let user: &[u8] = user.as_bytes();
    Ok(on_conn!(db, |conn| {
        sqlx::query(sql).bind(user).bind(&kept[..]).execute(&mut **conn).await.map(|done| done.rows_affected())
    })?)
}

impl Store {
    /// Signs a user in, and forgets their sessions that have ended.
    pub(crate) async fn open_console_session(
        &self,
        session: NewSession,
        at: SessionsAt,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        self.database
            .transact("console_session.open", move |mut db| {
                let (session, event) = (session.clone(), event.clone());
                Box::pin(async move {
                    let sql = db.sql(&FORGET_ENDED);
                    let user: &[u8] = session.user.as_bytes();
                    on_conn!(db, |conn| {
                        let query = sqlx::query(sql).bind(user).bind(at.now.ms()).bind(at.idle_since.ms());
                        query.execute(&mut **conn).await.map(drop)
                    })?;
                    insert(&mut db, &session).await?;
                    audit::insert(&mut db, &[&event]).await
                })
            })
            .await
    }

    pub(crate) async fn find_console_session(
        &self,
        digest: Digest,
        at: SessionsAt,
    ) -> Result<Option<FoundSession>, StoreError> {
        let row: Option<FoundRow> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND);
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query_as(sql).bind(&digest.as_bytes()[..]);
                        query.bind(at.now.ms()).bind(at.idle_since.ms()).fetch_optional(&mut **conn).await
                    })?)
                })
            })
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The live sessions of a user, the one used last first.
    pub(crate) async fn list_console_sessions(
        &self,
        user: UserId,
        at: SessionsAt,
    ) -> Result<Vec<ConsoleSession>, StoreError> {
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let user: &[u8] = user.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query_as(sql).bind(user).bind(at.now.ms()).bind(at.idle_since.ms());
                        query.bind(MAX_LISTED).fetch_all(&mut **conn).await
                    })?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    pub(crate) async fn touch_console_session(&self, id: ConsoleSessionId, at: Timestamp) -> Result<(), StoreError> {
        self.database
            .transact(TOUCH.name, move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&TOUCH);
                    let id: &[u8] = id.as_bytes();
                    Ok(on_conn!(db, |conn| {
                        sqlx::query(sql).bind(id).bind(at.ms()).execute(&mut **conn).await.map(drop)
                    })?)
                })
            })
            .await
    }

    /// Ends one session of a user; false when there is none of this id.
    pub(crate) async fn end_console_session(
        &self,
        user: UserId,
        id: ConsoleSessionId,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        self.database
            .transact(END.name, move |mut db| {
                let event = event.clone();
                Box::pin(async move {
                    let sql = db.sql(&END);
                    let (user, id): (&[u8], &[u8]) = (user.as_bytes(), id.as_bytes());
                    let ended = on_conn!(db, |conn| {
                        sqlx::query(sql).bind(user).bind(id).execute(&mut **conn).await.map(|done| done.rows_affected())
                    })?;
                    if ended > 0 {
                        audit::insert(&mut db, &[&event]).await?;
                    }
                    Ok(ended > 0)
                })
            })
            .await
    }

    /// Ends all sessions of a user but one; returns how many.
    pub(crate) async fn end_other_console_sessions(
        &self,
        user: UserId,
        kept: ConsoleSessionId,
        event: AuditEvent,
    ) -> Result<u64, StoreError> {
        self.database
            .transact(END_OTHERS.name, move |mut db| {
                let event = event.clone();
                Box::pin(async move {
                    let ended = end_others(&mut db, user, Some(kept)).await?;
                    audit::insert(&mut db, &[&event]).await?;
                    Ok(ended)
                })
            })
            .await
    }
}

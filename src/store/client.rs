//! Table `client`: registered OAuth clients. A deleted one keeps its row, so that its id is never given out again.

use sqlx::FromRow;

use super::audit::{self, AuditEvent};
use super::database::{Db, DbConn};
use super::group_read::{Found, Lookup};
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::client::{Client, PreviousSecret, StoredSecret};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Revision, WorkspaceRef};
use crate::domain::ids::{ClientId, ClientKey, WorkspaceId};
use crate::domain::keys::KeyVersion;

/// The revision is read in the same snapshot: it proves as of when the client was registered.
macro_rules! client_select {
    () => {
        "SELECT c.id, c.client_id, c.workspace_id, w.name AS workspace_name, c.name, c.auth_method, c.secret_digest, \
         c.secret_key_version, c.previous_secret_digest, c.previous_secret_key_version, c.previous_secret_until, c.grant_types, c.scopes, c.redirect_uris, c.introspect, c.created_at, c.version, \
         (SELECT seq FROM revocation_head WHERE id = 1) AS as_of FROM client c \
         JOIN workspace w ON w.id = c.workspace_id WHERE c.deleted_at IS NULL AND w.deleted_at IS NULL AND "
    };
}

static INSERT: Statement = Statement::both(
    "client.insert",
    "INSERT INTO client (id, client_id, workspace_id, name, auth_method, secret_digest, secret_key_version, grant_types, \
     scopes, redirect_uris, introspect, created_at, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)",
);
static FIND: Statement = Statement::each(
    "client.find",
    concat!(client_select!(), "c.client_id = $1"),
    concat!(client_select!(), "c.client_id = ANY($1)"),
);
static FIND_API_CLIENT: Statement =
    Statement::both("client.find_api_client", concat!(client_select!(), "w.id = $1 AND c.id = w.api_client"));
static LIST: Statement = Statement::both(
    "client.list",
    concat!(
        client_select!(),
        "c.workspace_id = $1 AND (c.created_at, c.id) < ($2, $3) \
         AND ($4 = '' OR LOWER(c.name) LIKE $4 ESCAPE '\\' OR LOWER(c.client_id) LIKE $4 ESCAPE '\\') \
         AND c.introspect = COALESCE($5, c.introspect) ORDER BY c.created_at DESC, c.id DESC LIMIT $6"
    ),
);
static DELETE: Statement = Statement::both(
    "client.delete",
    "UPDATE client SET deleted_at = $2, secret_digest = NULL, previous_secret_digest = NULL, version = version + 1 WHERE id = $1 AND deleted_at IS NULL",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND, &FIND_API_CLIENT, &LIST, &DELETE];

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    client_id: String,
    workspace_id: Vec<u8>,
    workspace_name: String,
    name: String,
    auth_method: String,
    secret_digest: Option<Vec<u8>>,
    secret_key_version: Option<i32>,
    previous_secret_digest: Option<Vec<u8>>,
    previous_secret_key_version: Option<i32>,
    previous_secret_until: Option<i64>,
    grant_types: String,
    scopes: String,
    redirect_uris: String,
    introspect: bool,
    created_at: i64,
    version: i64,
    as_of: i64,
}

impl TryFrom<Row> for Client {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let secret = secret(row.secret_digest, row.secret_key_version)?;
        let previous =
            secret_before(row.previous_secret_digest, row.previous_secret_key_version, row.previous_secret_until)?;
        let grant_types = row.grant_types.split_ascii_whitespace();
        Ok(Self {
            key: ClientKey::from_bytes(decode::id_bytes(&row.id)?),
            client_id: row.client_id.parse().ok().ok_or(StoreError::Corrupt("client id"))?,
            workspace: WorkspaceRef { id: workspace::id(&row.workspace_id)?, name: row.workspace_name.into() },
            name: row.name,
            auth_method: decode::word(&row.auth_method, |word| word.parse().ok())?,
            secret,
            previous_secret: previous,
            grant_types: grant_types
                .map(|word| decode::word(word, |word| word.parse().ok()))
                .collect::<Result<_, _>>()?,
            scopes: row.scopes.parse().ok().ok_or(StoreError::Corrupt("scope"))?,
            redirect_uris: decode::json(Some(&row.redirect_uris))?,
            introspect: row.introspect,
            created_at: Timestamp::from_ms(row.created_at),
            version: row.version,
            as_of: Revision::new(row.as_of),
        })
    }
}

fn secret(digest: Option<Vec<u8>>, version: Option<i32>) -> Result<Option<StoredSecret>, StoreError> {
    let (Some(digest), Some(version)) = (digest, version) else {
        return Ok(None);
    };
    Ok(Some(StoredSecret { digest: decode::digest(&digest)?, key_version: KeyVersion::from_i32(version) }))
}

fn secret_before(
    digest: Option<Vec<u8>>,
    version: Option<i32>,
    until: Option<i64>,
) -> Result<Option<PreviousSecret>, StoreError> {
    let secret = secret(digest, version)?;
    Ok(secret.zip(decode::moment(until)).map(|(secret, until)| PreviousSecret { secret, until }))
}

/// The columns of a client that are texts of lists.
pub(super) struct Columns {
    pub(super) grant_types: String,
    pub(super) scopes: String,
    pub(super) redirect_uris: String,
}

impl Columns {
    pub(super) fn of(client: &Client) -> Self {
        let grant_types: Vec<&str> = client.grant_types.iter().map(|grant_type| grant_type.as_str()).collect();
        Self {
            grant_types: grant_types.join(" "),
            scopes: client.scopes.to_string(),
            redirect_uris: serde_json::to_string(&client.redirect_uris).expect("strings serialize"),
        }
    }
}

/// Clients by what they call themselves.
pub(super) struct ClientLookup;

impl Lookup for ClientLookup {
    type Key = ClientId;
    type Value = Client;

    async fn read(db: &mut Db<'_>, keys: &[ClientId]) -> Result<Found<Self>, StoreError> {
        let sql = db.sql(&FIND);
        let rows: Vec<Row> = match &mut db.conn {
            DbConn::Sqlite(conn) => {
                let mut rows = Vec::with_capacity(keys.len());
                for key in keys {
                    rows.extend(sqlx::query_as(sql).bind(key.as_str()).fetch_optional(&mut **conn).await?);
                }
                rows
            }
            DbConn::Postgres(conn) => {
                let keys: Vec<&str> = keys.iter().map(ClientId::as_str).collect();
                sqlx::query_as(sql).bind(keys).fetch_all(&mut **conn).await?
            }
        };
        let found = rows.into_iter().map(|row| {
            let id: ClientId = row.client_id.parse().ok().ok_or(StoreError::Corrupt("client id"))?;
            Ok((id, row.try_into()))
        });
        found.collect()
    }
}

pub(super) async fn insert(db: &mut Db<'_>, client: &Client) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let (key, workspace): (&[u8], &[u8]) = (client.key.as_bytes(), client.workspace.id.as_bytes());
    let columns = Columns::of(client);
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(key)
            .bind(client.client_id.as_str())
            .bind(workspace)
            .bind(&client.name)
            .bind(client.auth_method.as_str())
            .bind(client.secret.as_ref().map(|secret| &secret.digest.as_bytes()[..]))
            .bind(client.secret.as_ref().map(|secret| secret.key_version.as_i32()))
            .bind(&columns.grant_types)
            .bind(&columns.scopes)
            .bind(&columns.redirect_uris)
            .bind(client.introspect)
            .bind(client.created_at.ms());
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

/// Marks a client as deleted; false when it was before.
pub(super) async fn delete(db: &mut Db<'_>, key: ClientKey, at: Timestamp) -> Result<bool, StoreError> {
    let sql = db.sql(&DELETE);
    let key: &[u8] = key.as_bytes();
    let rows = on_conn!(db, |conn| {
        let query = sqlx::query(sql).bind(key).bind(at.ms());
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    Ok(rows > 0)
}

/// Which clients a list shows. What is empty or `None` does not choose.
#[derive(Clone, Debug, Default)]
pub struct ClientFilter {
    /// A part of the name or the client id, in any case.
    pub text: String,
    pub introspect: Option<bool>,
}

/// Where a page of clients ended.
#[derive(Clone, Copy, Debug)]
pub struct ClientCursor {
    pub created_at: Timestamp,
    pub key: ClientKey,
}

impl ClientCursor {
    pub const START: Self = Self { created_at: Timestamp::from_ms(i64::MAX), key: ClientKey::from_bytes([0xff; 16]) };
}

impl Store {
    /// # Errors
    /// [`StoreError::Duplicate`] when the client id is or was in use.
    pub(crate) async fn insert_client(&self, client: Client, audit: AuditEvent) -> Result<(), StoreError> {
        let work = std::sync::Arc::new((client, audit));
        self.database
            .transact("client.create", move |mut db| {
                let work = std::sync::Arc::clone(&work);
                Box::pin(async move {
                    insert(&mut db, &work.0).await?;
                    audit::insert(&mut db, &[&work.1]).await
                })
            })
            .await
    }

    pub(crate) async fn find_client(&self, client_id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.clients.find(client_id.clone()).await
    }

    /// The public client that pairs of this workspace are refreshed with.
    pub(crate) async fn find_api_client(&self, workspace: WorkspaceId) -> Result<Client, StoreError> {
        let row: Option<Row> = self
            .database
            .read(move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&FIND_API_CLIENT);
                    let key: &[u8] = workspace.as_bytes();
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?)
                })
            })
            .await?;
        row.ok_or(StoreError::Corrupt("workspace without its API client"))?.try_into()
    }

    /// The clients of a workspace, newest first.
    pub(crate) async fn list_clients(
        &self,
        workspace: WorkspaceId,
        filter: ClientFilter,
        after: ClientCursor,
        limit: u32,
    ) -> Result<Vec<Client>, StoreError> {
        let pattern = decode::contains_pattern(&filter.text);
        let rows: Vec<Row> = self
            .database
            .read(move |mut db| {
                let pattern = pattern.clone();
                Box::pin(async move {
                    let sql = db.sql(&LIST);
                    let (workspace, last): (&[u8], &[u8]) = (workspace.as_bytes(), after.key.as_bytes());
                    Ok(on_conn!(db, |conn| sqlx::query_as(sql)
                        .bind(workspace)
                        .bind(after.created_at.ms())
                        .bind(last)
                        .bind(&pattern)
                        .bind(filter.introspect)
                        .bind(i64::from(limit))
                        .fetch_all(&mut **conn)
                        .await)?)
                })
            })
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

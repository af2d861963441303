//! Table `grant_`: one row per authorization.

use std::collections::{HashMap, HashSet};

use sqlx::FromRow;

use super::database::{Db, DbConn, PgQuery};
use super::statement::Statement;
use super::{Store, StoreError, decode, workspace};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{
    Changed, ClientRef, CutOff, Grant, Origin, Owner, Parent, Revision, SessionDetails, State, WorkspaceRef,
};
use crate::domain::ids::{ClientKey, GrantId, ImportId, UserId, WorkspaceId};
use crate::domain::policy::PolicyVersion;
use crate::domain::scope::Scopes;

/// PostgreSQL: inserts the grants whose columns [`bind_all`] gives as the parameters of these numbers.
macro_rules! grant_insert {
    ($id:literal $workspace:literal $policy:literal $policy_version:literal $origin:literal $name:literal $user:literal
     $client:literal $parent:literal $scopes:literal $apis:literal $plans:literal $extra:literal $session:literal
     $created:literal $expires:literal $revision:literal) => {
        concat!(
            "INSERT INTO grant_ (id, workspace_id, policy, policy_version, origin, name, user_id, client_key, parent_id, \
             scopes, apis, plans, extra_fields, session, created_at, expires_at, revision, state, version) \
             SELECT *, 'active', 1 FROM UNNEST($", $id, "::bytea[], $", $workspace, "::bytea[], $", $policy, "::text[], $",
            $policy_version, "::bigint[], $", $origin, "::text[], $", $name, "::text[], $", $user, "::bytea[], $", $client,
            "::bytea[], $", $parent, "::bytea[], $", $scopes, "::text[], $", $apis, "::text[], $", $plans, "::text[], $",
            $extra, "::text[], $", $session, "::text[], $", $created, "::bigint[], $", $expires, "::bigint[], $", $revision,
            "::bigint[])"
        )
    };
}

static INSERT: Statement = Statement::each(
    "grant.insert",
    "INSERT INTO grant_ (id, workspace_id, policy, policy_version, origin, name, user_id, client_key, parent_id, state, \
     scopes, apis, plans, extra_fields, session, created_at, expires_at, version, revision) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10, $11, $12, $13, $14, $15, $16, 1, $17)",
    grant_insert!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17),
);

/// When a grant ends: an imported one with its import, or before that if it has an end of its own.
macro_rules! grant_end {
    () => {
        "CASE WHEN g.expires_at < i.deadline THEN g.expires_at ELSE COALESCE(i.deadline, g.expires_at) END"
    };
}

/// The columns of a grant as [`Row`] reads them, with the names of what it points at and what cuts it off.
macro_rules! grant_columns {
    () => {
        concat!(
            "g.id, g.workspace_id, w.name AS workspace_name, g.policy, g.policy_version, g.origin, g.name, g.user_id, u.username, \
         g.client_key, c.client_id, c.name AS client_name, g.parent_id, g.state, g.scopes, g.apis, g.plans, \
         g.extra_fields, g.session, g.created_at, g.import_id, ",
            $crate::store::grant::grant_end!(),
            " AS expires_at, g.last_used_at, g.revoked_at, g.revoked_by, \
         g.revoke_reason, g.disabled_at, g.disabled_by, g.spares_access, g.deleted_at, g.current_from, g.overlap_until, \
         g.version, g.revision, \
         (SELECT MAX(k.revision) FROM cutoff k WHERE k.subject IN (g.workspace_id, g.user_id, g.client_key, \
         g.import_id) AND k.policy IN ('', g.policy)) AS cut_revision, \
         p.state AS parent_state, p.policy AS parent_policy, p.revision AS parent_revision, \
         p.apis AS parent_apis, p.plans AS parent_plans, \
         p.current_from AS parent_current_from, p.overlap_until AS parent_overlap_until, \
         (SELECT MAX(k.revision) FROM cutoff k WHERE k.subject IN (p.workspace_id, p.user_id, p.client_key) \
         AND k.policy IN ('', p.policy)) AS parent_cut_revision"
        )
    };
}

/// What [`grant_columns`] needs beside `grant_ g`.
macro_rules! grant_joins {
    () => {
        "JOIN workspace w ON w.id = g.workspace_id LEFT JOIN user_account u ON u.id = g.user_id \
         LEFT JOIN client c ON c.id = g.client_key LEFT JOIN grant_ p ON p.id = g.parent_id \
         LEFT JOIN legacy_import i ON i.id = g.import_id"
    };
}
pub(super) use {grant_columns, grant_end, grant_insert, grant_joins};

static FIND: Statement = Statement::both(
    "grant.find",
    concat!("SELECT ", grant_columns!(), " FROM grant_ g ", grant_joins!(), " WHERE g.id = $1"),
);
/// The row is locked before a token is issued under it or its state is changed, so that neither overtakes the other.
static LOCK: Statement = Statement::each(
    "grant.lock",
    concat!("SELECT ", grant_columns!(), " FROM grant_ g ", grant_joins!(), " WHERE g.id = $1"),
    concat!("SELECT ", grant_columns!(), " FROM grant_ g ", grant_joins!(), " WHERE g.id = $1 FOR UPDATE OF g"),
);
/// Holds the rows until the transaction ends, in the order of the ids, so that two batches can't wait for each other.
static HOLD: Statement = Statement::each(
    "grant.hold",
    "SELECT id, state FROM grant_ WHERE id = $1",
    "SELECT id, state FROM grant_ WHERE id = ANY($1) ORDER BY id FOR UPDATE",
);
static REVOKE: Statement = Statement::each(
    "grant.revoke",
    "UPDATE grant_ SET state = 'revoked', revoked_at = $2, revoked_by = $3, revoke_reason = $4, version = version + 1 \
     WHERE id = $1",
    "UPDATE grant_ g SET state = 'revoked', revoked_at = x.at, revoked_by = x.by, revoke_reason = x.reason, \
     version = g.version + 1 FROM UNNEST($1::bytea[], $2::bigint[], $3::text[], $4::text[]) AS x (id, at, by, reason) \
     WHERE g.id = x.id",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &FIND, &LOCK, &HOLD, &REVOKE];

/// A grant to store.
#[derive(Clone, Debug)]
pub struct NewGrant {
    pub id: GrantId,
    pub workspace: WorkspaceId,
    pub policy: String,
    pub policy_version: PolicyVersion,
    pub origin: Origin,
    pub name: Option<String>,
    pub user: Option<UserId>,
    pub client: Option<ClientKey>,
    pub parent: Option<GrantId>,
    pub scopes: Scopes,
    pub apis: Vec<String>,
    pub plans: Vec<String>,
    pub extra_fields: serde_json::Map<String, serde_json::Value>,
    pub session: SessionDetails,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// The log position at which its parents were read as alive.
    pub revision: Revision,
}

#[derive(FromRow)]
pub(super) struct Row {
    id: Vec<u8>,
    workspace_id: Vec<u8>,
    workspace_name: String,
    policy: String,
    policy_version: Option<i64>,
    origin: String,
    name: Option<String>,
    user_id: Option<Vec<u8>>,
    username: Option<String>,
    client_key: Option<Vec<u8>>,
    client_id: Option<String>,
    client_name: Option<String>,
    parent_id: Option<Vec<u8>>,
    state: String,
    scopes: String,
    apis: Option<String>,
    plans: Option<String>,
    extra_fields: Option<String>,
    session: Option<String>,
    created_at: i64,
    import_id: Option<Vec<u8>>,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by: Option<String>,
    revoke_reason: Option<String>,
    disabled_at: Option<i64>,
    disabled_by: Option<String>,
    spares_access: bool,
    deleted_at: Option<i64>,
    current_from: i64,
    overlap_until: Option<i64>,
    version: i64,
    revision: i64,
    cut_revision: Option<i64>,
    parent_state: Option<String>,
    parent_policy: Option<String>,
    parent_revision: Option<i64>,
    parent_current_from: Option<i64>,
    parent_overlap_until: Option<i64>,
    parent_cut_revision: Option<i64>,
    parent_apis: Option<String>,
    parent_plans: Option<String>,
}

impl TryFrom<Row> for Grant {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let client = match (row.client_key, row.client_id, row.client_name) {
            (None, ..) => None,
            (Some(key), Some(client_id), Some(name)) => Some(ClientRef {
                key: ClientKey::from_bytes(decode::id_bytes(&key)?),
                client_id: client_id.parse().ok().ok_or(StoreError::Corrupt("client id"))?,
                name,
            }),
            _ => return Err(StoreError::Corrupt("grant without its client")),
        };
        let owner = match (row.user_id, row.username, &client) {
            (Some(id), Some(name), _) => Owner::User { id: UserId::from_bytes(decode::id_bytes(&id)?), name },
            (None, _, Some(client)) => Owner::Client(client.clone()),
            _ => return Err(StoreError::Corrupt("grant without its owner")),
        };
        let parent_id = row.parent_id.as_deref().map(decode::id_bytes).transpose()?.map(GrantId::from_bytes);
        let (parent, parent_dead) = match (parent_id, row.parent_state, row.parent_policy, row.parent_revision) {
            (Some(id), Some(state), Some(policy), Some(revision)) => {
                let dead = decode::word(&state, State::from_name)? != State::Active
                    || row.parent_cut_revision.is_some_and(|cut| revision < cut);
                let (current_from, overlap_until) = (row.parent_current_from, row.parent_overlap_until);
                let parent = Parent {
                    id,
                    policy,
                    revision: Revision::new(revision),
                    current_from: current_from.unwrap_or_default(),
                    overlap_until: decode::moment(overlap_until),
                };
                (Some(parent), dead)
            }
            // A parent that was purged had ended, and its sessions end no later than it does.
            (id, ..) => (None, id.is_some()),
        };
        // A session covers what its key covers now, not what it did when the session was opened.
        let (apis, plans) = if parent.is_some() { (row.parent_apis, row.parent_plans) } else { (row.apis, row.plans) };
        Ok(Self {
            id: GrantId::from_bytes(decode::id_bytes(&row.id)?),
            workspace: WorkspaceRef { id: workspace::id(&row.workspace_id)?, name: row.workspace_name.into() },
            policy: row.policy,
            policy_version: row.policy_version.map(PolicyVersion::new),
            origin: decode::word(&row.origin, Origin::from_name)?,
            name: row.name,
            owner,
            client,
            state: decode::word(&row.state, State::from_name)?,
            scopes: row.scopes.parse().ok().ok_or(StoreError::Corrupt("scope"))?,
            apis: decode::json(apis.as_deref())?,
            plans: decode::json(plans.as_deref())?,
            extra_fields: decode::json(row.extra_fields.as_deref())?,
            session: decode::json(row.session.as_deref())?,
            parent,
            import: row.import_id.as_deref().map(decode::id_bytes).transpose()?.map(ImportId::from_bytes),
            created_at: Timestamp::from_ms(row.created_at),
            expires_at: decode::moment(row.expires_at),
            last_used_at: decode::moment(row.last_used_at),
            revoked_at: decode::moment(row.revoked_at),
            revoked_by: row.revoked_by,
            revoke_reason: row.revoke_reason,
            disabled_at: decode::moment(row.disabled_at),
            disabled_by: row.disabled_by,
            spares_access: row.spares_access,
            deleted_at: decode::moment(row.deleted_at),
            current_from: row.current_from,
            overlap_until: decode::moment(row.overlap_until),
            version: row.version,
            revision: Revision::new(row.revision),
            cut_off: CutOff { revision: row.cut_revision.map(Revision::new), parent_dead },
        })
    }
}

/// Writes all `grants`; one statement on PostgreSQL.
pub(super) async fn insert(db: &mut Db<'_>, grants: &[&NewGrant]) -> Result<(), StoreError> {
    if grants.is_empty() {
        return Ok(());
    }
    let sql = db.sql(&INSERT);
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for grant in grants {
                let (id, workspace): (&[u8], &[u8]) = (grant.id.as_bytes(), grant.workspace.as_bytes());
                sqlx::query(sql)
                    .bind(id)
                    .bind(workspace)
                    .bind(&grant.policy)
                    .bind(grant.policy_version.value())
                    .bind(grant.origin.as_str())
                    .bind(&grant.name)
                    .bind(user_bytes(grant))
                    .bind(client_bytes(grant))
                    .bind(parent_bytes(grant))
                    .bind(grant.scopes.to_string())
                    .bind(decode::to_json(&grant.apis))
                    .bind(decode::to_json(&grant.plans))
                    .bind(decode::to_json(&grant.extra_fields))
                    .bind(decode::to_json(&grant.session))
                    .bind(grant.created_at.ms())
                    .bind(grant.expires_at.map(Timestamp::ms))
                    .bind(grant.revision.value())
                    .execute(&mut **conn)
                    .await?;
            }
        }
        DbConn::Postgres(conn) => {
            bind_all(sqlx::query(sql), grants).execute(&mut **conn).await?;
        }
    }
    Ok(())
}

/// The columns of `grants`, an array each.
pub(super) fn bind_all<'q>(query: PgQuery<'q>, grants: &[&NewGrant]) -> PgQuery<'q> {
    query
        .bind(grants.iter().map(|grant| &grant.id.as_bytes()[..]).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| &grant.workspace.as_bytes()[..]).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| grant.policy.as_str()).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| grant.policy_version.value()).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| grant.origin.as_str()).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| grant.name.as_deref()).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| user_bytes(grant)).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| client_bytes(grant)).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| parent_bytes(grant)).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| grant.scopes.to_string()).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| decode::to_json(&grant.apis)).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| decode::to_json(&grant.plans)).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| decode::to_json(&grant.extra_fields)).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| decode::to_json(&grant.session)).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| grant.created_at.ms()).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| grant.expires_at.map(Timestamp::ms)).collect::<Vec<_>>())
        .bind(grants.iter().map(|grant| grant.revision.value()).collect::<Vec<_>>())
}

fn user_bytes(grant: &NewGrant) -> Option<&[u8]> {
    grant.user.as_ref().map(|id| &id.as_bytes()[..])
}

fn client_bytes(grant: &NewGrant) -> Option<&[u8]> {
    grant.client.as_ref().map(|id| &id.as_bytes()[..])
}

fn parent_bytes(grant: &NewGrant) -> Option<&[u8]> {
    grant.parent.as_ref().map(|id| &id.as_bytes()[..])
}

/// Reads a grant and holds its row until the transaction ends.
pub(super) async fn lock(db: &mut Db<'_>, id: GrantId) -> Result<Option<Grant>, StoreError> {
    let sql = db.sql(&LOCK);
    match fetch(db, sql, id).await? {
        // After a wait for the lock PostgreSQL reads this row again, but not those that it joins: of a user whom the grant
        // was given to meanwhile it has the id and not the name.
        Some(row) if row.user_id.is_some() && row.username.is_none() => find(db, id).await,
        row => row.map(TryInto::try_into).transpose(),
    }
}

pub(super) async fn find(db: &mut Db<'_>, id: GrantId) -> Result<Option<Grant>, StoreError> {
    let sql = db.sql(&FIND);
    fetch(db, sql, id).await?.map(TryInto::try_into).transpose()
}

async fn fetch(db: &mut Db<'_>, sql: &'static str, id: GrantId) -> Result<Option<Row>, StoreError> {
    let key: &[u8] = id.as_bytes();
    Ok(on_conn!(db, |conn| sqlx::query_as(sql).bind(key).fetch_optional(&mut **conn).await)?)
}

/// A grant to be marked as revoked.
#[derive(Debug)]
pub(super) struct Revoked<'a> {
    pub id: GrantId,
    pub at: Timestamp,
    pub by: &'a str,
    pub reason: Option<&'a str>,
}

/// Marks those of `revoked`, named once each, that are there and were not revoked before; returns them.
pub(super) async fn revoke(db: &mut Db<'_>, revoked: &[Revoked<'_>]) -> Result<HashSet<GrantId>, StoreError> {
    if revoked.is_empty() {
        return Ok(HashSet::new());
    }
    let states = hold(db, &revoked.iter().map(|one| one.id).collect::<Vec<_>>()).await?;
    let changes = |one: &&Revoked<'_>| states.get(&one.id).is_some_and(|state| state.revoked() != Changed::Already);
    let marked: Vec<&Revoked<'_>> = revoked.iter().filter(changes).collect();
    let sql = db.sql(&REVOKE);
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for one in &marked {
                let query =
                    sqlx::query(sql).bind(&one.id.as_bytes()[..]).bind(one.at.ms()).bind(one.by).bind(one.reason);
                query.execute(&mut **conn).await?;
            }
        }
        DbConn::Postgres(conn) => {
            sqlx::query(sql)
                .bind(marked.iter().map(|one| &one.id.as_bytes()[..]).collect::<Vec<_>>())
                .bind(marked.iter().map(|one| one.at.ms()).collect::<Vec<_>>())
                .bind(marked.iter().map(|one| one.by).collect::<Vec<_>>())
                .bind(marked.iter().map(|one| one.reason).collect::<Vec<_>>())
                .execute(&mut **conn)
                .await?;
        }
    }
    Ok(marked.iter().map(|one| one.id).collect())
}

async fn hold(db: &mut Db<'_>, ids: &[GrantId]) -> Result<HashMap<GrantId, State>, StoreError> {
    let sql = db.sql(&HOLD);
    let rows: Vec<(Vec<u8>, String)> = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                rows.extend(sqlx::query_as(sql).bind(&id.as_bytes()[..]).fetch_optional(&mut **conn).await?);
            }
            rows
        }
        DbConn::Postgres(conn) => {
            let ids: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
            sqlx::query_as(sql).bind(ids).fetch_all(&mut **conn).await?
        }
    };
    let states = rows
        .iter()
        .map(|(id, state)| Ok((GrantId::from_bytes(decode::id_bytes(id)?), decode::word(state, State::from_name)?)));
    states.collect()
}

/// Where a page of a list ended: the next one starts behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantCursor {
    pub created_at: Timestamp,
    pub id: GrantId,
}

impl GrantCursor {
    /// Before the first, that is newest, grant.
    pub const START: Self = Self { created_at: Timestamp::from_ms(i64::MAX), id: GrantId::from_bytes([0xff; 16]) };
}

impl Store {
    pub(crate) async fn find_grant(&self, id: GrantId) -> Result<Option<Grant>, StoreError> {
        self.database.read(move |mut db| Box::pin(async move { find(&mut db, id).await })).await
    }

    /// Those of these grants that there are.
    pub(crate) async fn find_grants(&self, ids: Vec<GrantId>) -> Result<Vec<Grant>, StoreError> {
        let ids: std::sync::Arc<[GrantId]> = ids.into();
        self.database
            .read(move |mut db| {
                let ids = std::sync::Arc::clone(&ids);
                Box::pin(async move {
                    let mut grants = Vec::with_capacity(ids.len());
                    for id in ids.iter() {
                        grants.extend(find(&mut db, *id).await?);
                    }
                    Ok(grants)
                })
            })
            .await
    }
}

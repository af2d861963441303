//! Whom the rows of an import name as their owners: users and clients of its workspace.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::database::{Db, DbConn};
use super::legacy_import::Fallback;
use super::statement::Statement;
use super::user::Role;
use super::{Store, StoreError, decode};
use crate::domain::ids::{ClientKey, UserId, WorkspaceId};
use crate::domain::legacy::Refusal;

static USERS: Statement = Statement::each(
    "legacy_owner.users",
    "SELECT id, username, role FROM user_account WHERE workspace_id = $1 AND deleted_at IS NULL AND (id = $2 OR username = $3)",
    "SELECT id, username, role FROM user_account WHERE workspace_id = $1 AND deleted_at IS NULL \
     AND (id = ANY($2) OR username = ANY($3))",
);
static CLIENTS: Statement = Statement::each(
    "legacy_owner.clients",
    "SELECT id, client_id, name FROM client WHERE workspace_id = $1 AND deleted_at IS NULL AND (client_id = $2 OR name = $2)",
    "SELECT id, client_id, name FROM client WHERE workspace_id = $1 AND deleted_at IS NULL \
     AND (client_id = ANY($2) OR name = ANY($2))",
);
static LIVE_CLIENT: Statement = Statement::both(
    "legacy_owner.live_client",
    "SELECT id FROM client WHERE workspace_id = $1 AND deleted_at IS NULL AND id = $2",
);

pub(super) const STATEMENTS: &[&Statement] = &[&USERS, &CLIENTS, &LIVE_CLIENT];

/// Whom a row names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedOwner {
    /// By id or name.
    User(String),
    /// By client id, or by name where only one has it.
    Client(String),
    Nobody,
}

/// Who owns an imported token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    User(UserId),
    Client(ClientKey),
}

/// The owners of a batch, by what they were named.
#[derive(Debug, Default)]
pub(super) struct Owners {
    users: HashMap<String, (UserId, Role)>,
    /// `None`: the name is not one client's alone.
    clients: HashMap<String, Option<ClientKey>>,
    fallback: Option<(Owner, Role)>,
}

impl Owners {
    /// # Errors
    /// The refusal of a row with this owner. `role` is that of whoever imports.
    pub(super) fn of(&self, named: &NamedOwner, role: Role) -> Result<Owner, Refusal> {
        let found = match named {
            NamedOwner::User(name) => self.users.get(name).map(|(id, role)| (Owner::User(*id), *role)),
            NamedOwner::Client(name) => {
                self.clients.get(name).copied().flatten().map(|key| (Owner::Client(key), Role::Member))
            }
            NamedOwner::Nobody => None,
        };
        match found.or(self.fallback) {
            None => Err(Refusal::UnknownOwner),
            Some((_, own)) if own > role => Err(Refusal::OwnerAbove),
            Some((owner, _)) => Ok(owner),
        }
    }
}

/// Finds everybody who is named, in one statement each on PostgreSQL.
pub(super) async fn find<'r>(
    db: &mut Db<'_>,
    workspace: WorkspaceId,
    fallback: Option<Fallback>,
    named: impl Iterator<Item = &'r NamedOwner>,
) -> Result<Owners, StoreError> {
    let (mut users, mut clients) = (BTreeSet::new(), BTreeSet::new());
    for named in named {
        match named {
            NamedOwner::User(name) => drop(users.insert(name.clone())),
            NamedOwner::Client(name) => drop(clients.insert(name.clone())),
            NamedOwner::Nobody => {}
        }
    }
    if let Some(Fallback::User(id)) = fallback {
        users.insert(id.to_string());
    }
    let users = find_users(db, workspace, &users).await?;
    let clients = find_clients(db, workspace, &clients).await?;
    // Whoever is gone since the import was made takes nothing more.
    let fallback = match fallback {
        Some(Fallback::Client(key)) => {
            is_live_client(db, workspace, key).await?.then_some((Owner::Client(key), Role::Member))
        }
        Some(Fallback::User(id)) => users.get(&id.to_string()).map(|(id, role)| (Owner::User(*id), *role)),
        None => None,
    };
    Ok(Owners { users, clients, fallback })
}

async fn is_live_client(db: &mut Db<'_>, workspace: WorkspaceId, key: ClientKey) -> Result<bool, StoreError> {
    let sql = db.sql(&LIVE_CLIENT);
    let (workspace, key): (&[u8], &[u8]) = (workspace.as_bytes(), key.as_bytes());
    let found: Option<Vec<u8>> =
        on_conn!(db, |conn| { sqlx::query_scalar(sql).bind(workspace).bind(key).fetch_optional(&mut **conn).await })?;
    Ok(found.is_some())
}

type UserRow = (Vec<u8>, String, String);

async fn find_users(
    db: &mut Db<'_>,
    workspace: WorkspaceId,
    names: &BTreeSet<String>,
) -> Result<HashMap<String, (UserId, Role)>, StoreError> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = db.sql(&USERS);
    let id_of = |name: &String| name.parse().map_or_else(|_| Vec::new(), |id: UserId| id.as_bytes().to_vec());
    let workspace: &[u8] = workspace.as_bytes();
    let rows: Vec<UserRow> = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            let mut rows = Vec::new();
            for name in names {
                let query = sqlx::query_as(sql).bind(workspace).bind(id_of(name)).bind(name);
                rows.extend(query.fetch_all(&mut **conn).await?);
            }
            rows
        }
        DbConn::Postgres(conn) => {
            let (ids, names): (Vec<_>, Vec<_>) = names.iter().map(|name| (id_of(name), name.as_str())).unzip();
            sqlx::query_as(sql).bind(workspace).bind(ids).bind(names).fetch_all(&mut **conn).await?
        }
    };
    let mut users = HashMap::with_capacity(rows.len() * 2);
    for (id, username, role) in rows {
        let found = (UserId::from_bytes(decode::id_bytes(&id)?), decode::word(&role, Role::from_name)?);
        users.insert(found.0.to_string(), found);
        // Nobody is called by another's id.
        users.entry(username).or_insert(found);
    }
    Ok(users)
}

async fn find_clients(
    db: &mut Db<'_>,
    workspace: WorkspaceId,
    names: &BTreeSet<String>,
) -> Result<HashMap<String, Option<ClientKey>>, StoreError> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = db.sql(&CLIENTS);
    let workspace: &[u8] = workspace.as_bytes();
    let rows: Vec<(Vec<u8>, String, String)> = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            let mut rows = Vec::new();
            for name in names {
                rows.extend(sqlx::query_as(sql).bind(workspace).bind(name).fetch_all(&mut **conn).await?);
            }
            rows
        }
        DbConn::Postgres(conn) => {
            let names = names.iter().map(String::as_str).collect::<Vec<_>>();
            sqlx::query_as(sql).bind(workspace).bind(names).fetch_all(&mut **conn).await?
        }
    };
    let mut clients: HashMap<String, Option<ClientKey>> = HashMap::with_capacity(rows.len() * 2);
    for (key, _, name) in &rows {
        let key = ClientKey::from_bytes(decode::id_bytes(key)?);
        clients.entry(name.clone()).and_modify(|one| *one = one.filter(|one| *one == key)).or_insert(Some(key));
    }
    // An id outranks a name.
    for (key, client_id, _) in rows {
        clients.insert(client_id, Some(ClientKey::from_bytes(decode::id_bytes(&key)?)));
    }
    Ok(clients)
}

impl Store {
    /// The user or client of the workspace that is named, if somebody with this role may make tokens for it.
    pub(crate) async fn find_owner(
        &self,
        workspace: WorkspaceId,
        named: NamedOwner,
        role: Role,
    ) -> Result<Result<Owner, Refusal>, StoreError> {
        let asked = Arc::new(named);
        let named = Arc::clone(&asked);
        let owners = self.database.read(move |mut db| {
            let named = Arc::clone(&named);
            Box::pin(async move { find(&mut db, workspace, None, std::iter::once(&*named)).await })
        });
        Ok(owners.await?.of(&asked, role))
    }
}

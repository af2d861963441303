//! Table `node`: who validates from memory, and up to which revision each has applied the log.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::FromRow;

use super::database::Db;
use super::group_read::{Found, Lookup};
use super::statement::Statement;
use super::{Store, StoreError, decode, revision};
use crate::domain::clock::Timestamp;
use crate::domain::grant::Revision;
use crate::domain::ids::NodeId;

static LIST: Statement = Statement::both(
    "node.list",
    "SELECT id, incarnation, name, config_fingerprint, lease_ms, applied_seq, renewals FROM node ORDER BY joined_at, id",
);
static INSERT: Statement = Statement::both(
    "node.insert",
    "INSERT INTO node (id, incarnation, name, config_fingerprint, lease_ms, applied_seq, renewals, joined_at) \
     VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
);
/// Renewals count up, so that a row that was read and has not changed is one that nobody has renewed since.
static REAP: Statement =
    Statement::both("node.reap", "DELETE FROM node WHERE id = $1 AND incarnation = $2 AND renewals = $3");
static REMOVE: Statement = Statement::both("node.remove", "DELETE FROM node WHERE id = $1 AND incarnation = $2");

pub(super) const STATEMENTS: &[&Statement] = &[&LIST, &INSERT, &REAP, &REMOVE];

/// One node as its row shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub id: NodeId,
    /// Drawn anew each time it joins.
    pub incarnation: i64,
    /// For people: the host's name, or the configured one.
    pub name: String,
    /// What nodes of one cluster must agree on.
    pub fingerprint: String,
    pub lease_ms: i64,
    pub applied: Revision,
    pub renewals: i64,
}

/// What came of joining.
#[derive(Clone, Debug)]
pub enum Joined {
    /// The row is there. Everything up to this revision is reflected by what is read from now on.
    At(Revision),
    /// Nodes that `agrees` does not accept.
    Refused(Vec<Node>),
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    incarnation: i64,
    name: String,
    config_fingerprint: String,
    lease_ms: i64,
    applied_seq: i64,
    renewals: i64,
}

impl TryFrom<Row> for Node {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: NodeId::from_bytes(decode::id_bytes(&row.id)?),
            incarnation: row.incarnation,
            name: row.name,
            fingerprint: row.config_fingerprint,
            lease_ms: row.lease_ms,
            applied: Revision::new(row.applied_seq),
            renewals: row.renewals,
        })
    }
}

pub(super) async fn list(db: &mut Db<'_>) -> Result<Vec<Node>, StoreError> {
    let sql = db.sql(&LIST);
    let rows: Vec<Row> = on_conn!(db, |conn| sqlx::query_as(sql).fetch_all(&mut **conn).await)?;
    rows.into_iter().map(Node::try_from).collect()
}

async fn insert(db: &mut Db<'_>, node: &Node, now: Timestamp) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(&node.id.as_bytes()[..])
            .bind(node.incarnation)
            .bind(&node.name)
            .bind(&node.fingerprint)
            .bind(node.lease_ms)
            .bind(node.applied.value())
            .bind(now.ms());
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

/// All nodes, for everybody who asks at the same moment.
pub(super) struct NodeLookup;

impl Lookup for NodeLookup {
    type Key = ();
    type Value = Arc<[Node]>;

    async fn read(db: &mut Db<'_>, _: &[()]) -> Result<Found<Self>, StoreError> {
        Ok(HashMap::from([((), Ok(list(db).await?.into()))]))
    }
}

impl Store {
    /// All nodes, by a read that begins after this call: whoever has joined before is among them.
    pub(crate) async fn list_nodes(&self) -> Result<Arc<[Node]>, StoreError> {
        Ok(self.nodes.find(()).await?.unwrap_or_default())
    }

    /// Makes the node's row, unless one of the others is one that `agrees` does not accept. Two that join at once are
    /// seen by each other. The row gives no lease: only a renewal does, which begins after this has been committed.
    pub(crate) async fn join(
        &self,
        node: Node,
        now: Timestamp,
        agrees: fn(&str, &str) -> bool,
    ) -> Result<Joined, StoreError> {
        self.database
            .transact("node.join", move |mut db| {
                let mut node = node.clone();
                Box::pin(async move {
                    node.applied = revision::lock_head(&mut db).await?;
                    let others = list(&mut db).await?;
                    let strangers = others.into_iter().filter(|other| !agrees(&node.fingerprint, &other.fingerprint));
                    let strangers: Vec<Node> = strangers.collect();
                    if !strangers.is_empty() {
                        return Ok(Joined::Refused(strangers));
                    }
                    insert(&mut db, &node, now).await?;
                    Ok(Joined::At(node.applied))
                })
            })
            .await
    }

    /// Removes a node that has not renewed since it was read as `seen`. Whether it was there.
    pub(crate) async fn reap_node(&self, seen: &Node) -> Result<bool, StoreError> {
        let (id, incarnation, renewals) = (*seen.id.as_bytes(), seen.incarnation, seen.renewals);
        self.database
            .transact(REAP.name, move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&REAP);
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query(sql).bind(&id[..]).bind(incarnation).bind(renewals);
                        query.execute(&mut **conn).await.map(|done| done.rows_affected() > 0)
                    })?)
                })
            })
            .await
    }

    /// Removes this node's own row, once it serves nothing from memory any more.
    pub(crate) async fn leave(&self, id: NodeId, incarnation: i64) -> Result<(), StoreError> {
        self.database
            .transact(REMOVE.name, move |mut db| {
                Box::pin(async move {
                    let sql = db.sql(&REMOVE);
                    Ok(on_conn!(db, |conn| {
                        let query = sqlx::query(sql).bind(&id.as_bytes()[..]).bind(incarnation);
                        query.execute(&mut **conn).await.map(drop)
                    })?)
                })
            })
            .await
    }
}

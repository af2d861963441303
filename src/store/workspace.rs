//! Table `workspace`: the tenants.

use super::statement::Statement;
use super::{Store, StoreError, database::Db};
use crate::domain::clock::Timestamp;
use crate::domain::grant::WorkspaceRef;
use crate::domain::ids::WorkspaceId;

const INSERT: Statement =
    Statement::both("workspace.insert", "INSERT INTO workspace (id, name, created_at) VALUES ($1, $2, $3)");
const COUNT: Statement = Statement::both("workspace.count", "SELECT COUNT(*) FROM workspace");

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT, &COUNT];

pub(super) async fn insert(
    db: &mut Db<'_>,
    workspace: &WorkspaceRef,
    created_at: Timestamp,
) -> Result<(), StoreError> {
    let sql = db.sql(&INSERT);
    let id: &[u8] = workspace.id.as_bytes();
    on_conn!(db, |conn| {
        sqlx::query(sql)
            .bind(id)
            .bind(&*workspace.name)
            .bind(created_at.ms())
            .execute(&mut **conn)
            .await
            .map(drop)
    })?;
    Ok(())
}

impl Store {
    /// Whether nobody has set this store up yet.
    pub(crate) async fn is_empty(&self) -> Result<bool, StoreError> {
        let count: i64 = self
            .database
            .read(|mut db| {
                Box::pin(async move {
                    let sql = db.sql(&COUNT);
                    Ok(on_conn!(db, |conn| sqlx::query_scalar(sql).fetch_one(&mut **conn).await)?)
                })
            })
            .await?;
        Ok(count == 0)
    }
}

/// Reads the id column of a workspace.
pub(super) fn id(column: &[u8]) -> Result<WorkspaceId, StoreError> {
    super::decode::id_bytes(column).map(WorkspaceId::from_bytes)
}

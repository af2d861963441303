//! The grants of imported tokens: without an end of their own, because the import's deadline may be moved.

use super::StoreError;
use super::database::{Db, DbConn};
use super::legacy_import::Import;
use super::legacy_owner::Owner;
use super::legacy_rows::ImportRow;
use super::statement::Statement;
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Origin, Revision};

static INSERT: Statement = Statement::each(
    "legacy_grants.insert",
    "INSERT INTO grant_ (id, workspace_id, policy, policy_version, origin, name, user_id, client_key, state, scopes, \
     created_at, expires_at, last_used_at, version, revision, import_id) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $10, $11, $12, 1, $13, $14)",
    "INSERT INTO grant_ (id, workspace_id, policy, policy_version, origin, name, user_id, client_key, state, scopes, \
     created_at, expires_at, last_used_at, version, revision, import_id) \
     SELECT a, $2, $3, $4, $5, b, c, d, 'active', e, f, g, h, 1, $13, $14 FROM UNNEST($1::bytea[], $6::text[], \
     $7::bytea[], $8::bytea[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[]) AS row (a, b, c, d, e, f, g, h)",
);

pub(super) const STATEMENTS: &[&Statement] = &[&INSERT];

/// Writes the grants of `rows`; `as_of` is the log position before their owners were read.
pub(super) async fn insert(
    db: &mut Db<'_>,
    import: &Import,
    rows: &[(&ImportRow, Owner)],
    as_of: Revision,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = db.sql(&INSERT);
    let (new, origin) = (&import.new, Origin::Import.as_str());
    let (workspace, id): (&[u8], &[u8]) = (new.workspace.as_bytes(), new.id.as_bytes());
    let version = new.policy_version.value();
    match &mut db.conn {
        DbConn::Sqlite(conn) => {
            for (row, owner) in rows {
                sqlx::query(sql)
                    .bind(&row.grant.as_bytes()[..])
                    .bind(workspace)
                    .bind(&new.policy)
                    .bind(version)
                    .bind(origin)
                    .bind(&row.name)
                    .bind(user(owner))
                    .bind(client(owner))
                    .bind(row.scopes.to_string())
                    .bind(row.created_at.ms())
                    .bind(row.expires_at.map(Timestamp::ms))
                    .bind(row.last_used_at.map(Timestamp::ms))
                    .bind(as_of.value())
                    .bind(id)
                    .execute(&mut **conn)
                    .await?;
            }
        }
        DbConn::Postgres(conn) => {
            sqlx::query(sql)
                .bind(rows.iter().map(|(row, _)| &row.grant.as_bytes()[..]).collect::<Vec<_>>())
                .bind(workspace)
                .bind(&new.policy)
                .bind(version)
                .bind(origin)
                .bind(rows.iter().map(|(row, _)| row.name.as_deref()).collect::<Vec<_>>())
                .bind(rows.iter().map(|(_, owner)| user(owner)).collect::<Vec<_>>())
                .bind(rows.iter().map(|(_, owner)| client(owner)).collect::<Vec<_>>())
                .bind(rows.iter().map(|(row, _)| row.scopes.to_string()).collect::<Vec<_>>())
                .bind(rows.iter().map(|(row, _)| row.created_at.ms()).collect::<Vec<_>>())
                .bind(rows.iter().map(|(row, _)| row.expires_at.map(Timestamp::ms)).collect::<Vec<_>>())
                .bind(rows.iter().map(|(row, _)| row.last_used_at.map(Timestamp::ms)).collect::<Vec<_>>())
                .bind(as_of.value())
                .bind(id)
                .execute(&mut **conn)
                .await?;
        }
    }
    Ok(())
}

fn user(owner: &Owner) -> Option<&[u8]> {
    match owner {
        Owner::User(id) => Some(&id.as_bytes()[..]),
        Owner::Client(_) => None,
    }
}

fn client(owner: &Owner) -> Option<&[u8]> {
    match owner {
        Owner::User(_) => None,
        Owner::Client(key) => Some(&key.as_bytes()[..]),
    }
}

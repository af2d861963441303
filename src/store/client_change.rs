//! Edits of clients: one statement, logged so that every process drops what it remembers of them.

use std::sync::Arc;

use super::database::Db;
use super::revoke::{self, Applied, Revoke};
use super::statement::Statement;
use super::{Store, StoreError, client};
use crate::domain::client::Client;
use crate::domain::clock::Timestamp;

static UPDATE: Statement = Statement::both(
    "client.update",
    "UPDATE client SET name = $3, grant_types = $4, scopes = $5, redirect_uris = $6, introspect = $7, secret_digest = $8, \
     secret_key_version = $9, previous_secret_digest = $10, previous_secret_key_version = $11, previous_secret_until = $12, \
     version = version + 1 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
);

pub(super) const STATEMENTS: &[&Statement] = &[&UPDATE];

/// An edit: what the client is afterwards.
#[derive(Clone, Debug)]
pub struct UpdateClient {
    /// With the version that the edit was made of.
    pub client: Client,
    /// Tells the others; carries the audit row.
    pub revoke: Revoke,
}

/// What came of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientChange {
    Done,
    /// Somebody else was faster.
    Stale,
}

async fn update(db: &mut Db<'_>, work: &UpdateClient) -> Result<(ClientChange, Option<Applied>), StoreError> {
    let (sql, edited) = (db.sql(&UPDATE), &work.client);
    let key: &[u8] = edited.key.as_bytes();
    let previous = edited.previous_secret.as_ref();
    let columns = client::Columns::of(edited);
    let rows = on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(key)
            .bind(edited.version)
            .bind(&edited.name)
            .bind(&columns.grant_types)
            .bind(&columns.scopes)
            .bind(&columns.redirect_uris)
            .bind(edited.introspect)
            .bind(edited.secret.as_ref().map(|secret| &secret.digest.as_bytes()[..]))
            .bind(edited.secret.as_ref().map(|secret| secret.key_version.as_i32()))
            .bind(previous.map(|previous| &previous.secret.digest.as_bytes()[..]))
            .bind(previous.map(|previous| previous.secret.key_version.as_i32()))
            .bind(previous.map(|previous| Timestamp::ms(previous.until)));
        query.execute(&mut **conn).await.map(|done| done.rows_affected())
    })?;
    if rows == 0 {
        return Ok((ClientChange::Stale, None));
    }
    Ok((ClientChange::Done, Some(revoke::within(db, &work.revoke).await?)))
}

impl Store {
    /// Writes an edit; no process authenticates by what the client was before when this returns.
    pub(crate) async fn update_client(
        &self,
        work: UpdateClient,
    ) -> Result<(ClientChange, Option<Applied>), StoreError> {
        let work = Arc::new(work);
        self.database
            .transact_revoking("client.update", move |mut db| {
                let work = Arc::clone(&work);
                Box::pin(async move { update(&mut db, &work).await })
            })
            .await
    }
}

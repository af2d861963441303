//! Who may serve from one PostgreSQL database: any number of processes together, or one alone that trusts its memory.
//!
//! A session-level advisory lock on a connection of its own: it ends with the process, whatever ends that.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection, PgPool};

use super::database::Backend;
use super::statement::Statement;
use super::{Store, StoreError};

/// Waits as long as the session waits for locks: a process that was stopped just now may not be gone yet.
static TOGETHER: Statement = Statement::each("claim.together", "", "SELECT pg_advisory_lock_shared(7041777)");
static ALONE: Statement = Statement::each("claim.alone", "", "SELECT pg_advisory_lock(7041777)");

pub(super) const STATEMENTS: &[&Statement] = &[&TOGETHER, &ALONE];

/// With whom a process shares the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    Together,
    Alone,
}

/// A claim and the connection that it lives on.
pub(super) struct Claimed {
    claim: Claim,
    conn: PgConnection,
}

/// A connection that does not answer for so long is lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

impl Store {
    /// Claims the database for as long as this process serves. Nothing to do on SQLite, whose file is locked.
    ///
    /// # Errors
    /// [`StoreError::Contended`] when the claim of another process excludes it.
    pub async fn claim(&self, claim: Claim) -> Result<(), StoreError> {
        if let Backend::Postgres(pool) = &self.database.backend {
            let conn = self.take(pool, claim).await?;
            *self.claimed.lock().await = Some(Claimed { claim, conn });
        }
        Ok(())
    }

    /// Takes the claim again if its connection was lost. Another process may have had it meanwhile, so that nothing that
    /// was read before can be trusted.
    pub(crate) async fn keep_claim(&self) -> Result<(), StoreError> {
        let mut claimed = self.claimed.lock().await;
        let (Backend::Postgres(pool), Some(held)) = (&self.database.backend, claimed.as_mut()) else {
            return Ok(());
        };
        if let Ok(Ok(())) = tokio::time::timeout(ANSWER_TIMEOUT, held.conn.ping()).await {
            return Ok(());
        }
        self.database.sink.outcome_unknown();
        held.conn = self.take(pool, held.claim).await?;
        Ok(())
    }

    pub(super) async fn release_claim(&self) {
        if let Some(held) = self.claimed.lock().await.take() {
            let _ends_with_the_process_at_the_latest = held.conn.close().await;
        }
    }

    async fn take(&self, pool: &PgPool, claim: Claim) -> Result<PgConnection, StoreError> {
        let statement = match claim {
            Claim::Together => &TOGETHER,
            Claim::Alone => &ALONE,
        };
        let mut conn = pool.acquire().await?.detach();
        self.counters().count(statement);
        sqlx::query(statement.postgres).execute(&mut conn).await?;
        Ok(conn)
    }
}

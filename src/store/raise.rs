//! The write that raises an anonymous session to a user's: owner, scopes, and new tokens in place of all older ones.

use std::sync::Arc;

use super::audit::AuditEvent;
use super::database::Db;
use super::revoke::{self, Applied, Revoke, Target};
use super::statement::Statement;
use super::token::{self, NewToken};
use super::{Store, StoreError, decode, family, grant};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Revision, SessionDetails, SessionReferences, TokenOf};
use crate::domain::ids::{GrantId, UserId};
use crate::domain::scope::Scopes;

static RAISE: Statement = Statement::both(
    "grant.raise",
    "UPDATE grant_ SET user_id = $2, scopes = $3, session = $4, expires_at = $5, current_from = $6, overlap_until = NULL, \
     revision = $7, version = version + 1 WHERE id = $1",
);

pub(super) const STATEMENTS: &[&Statement] = &[&RAISE];

/// An anonymous session that a user takes over.
#[derive(Clone, Debug)]
pub struct Raise {
    pub grant: GrantId,
    /// The token of the session that was presented.
    pub actor: TokenOf,
    pub user: UserId,
    pub scopes: Scopes,
    pub references: SessionReferences,
    /// Not later than before.
    pub expires_at: Option<Timestamp>,
    /// The log position at which user and client were known to be alive.
    pub revision: Revision,
    pub now: Timestamp,
    pub access: NewToken,
    /// Stored if the session has a family.
    pub refresh: NewToken,
    pub by: String,
    pub audit: AuditEvent,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub enum Raised {
    /// It is the user's now; whether the refresh token was stored.
    Done {
        refreshable: bool,
    },
    /// Another call was faster.
    NotAnonymous,
    Dead,
}

async fn write(db: &mut Db<'_>, raise: &Raise) -> Result<(Raised, Option<Applied>), StoreError> {
    // The lock makes concurrent calls agree on one user, and keeps refreshes and revocations of the session out.
    let Some(found) = grant::lock(db, raise.grant).await? else {
        return Ok((Raised::Dead, None));
    };
    if !found.session.anonymous {
        return Ok((Raised::NotAnonymous, None));
    }
    let Ok(grant) = found.live_for(raise.actor, raise.now) else {
        return Ok((Raised::Dead, None));
    };
    let family = family::lock(db, raise.grant).await?;
    let generation = 1 + family.as_ref().map_or(0, |family| family.generation).max(grant.current_from);
    let refreshable = family.is_some();
    take_over(db, raise, &grant, generation).await?;
    let (access, refresh) = (of(&raise.access, generation), of(&raise.refresh, generation));
    token::insert(db, &[&access]).await?;
    if refreshable {
        token::insert(db, &[&refresh]).await?;
        family::restart(db, raise.grant, generation, refresh.id).await?;
    }
    let changed = Revoke {
        target: Target::Changed(raise.grant),
        at: raise.now,
        by: raise.by.clone(),
        reason: None,
        audit: raise.audit.clone(),
    };
    let applied = revoke::within(db, &changed).await?;
    Ok((Raised::Done { refreshable }, Some(applied)))
}

fn of(token: &NewToken, generation: i64) -> NewToken {
    NewToken { generation, ..token.clone() }
}

async fn take_over(db: &mut Db<'_>, raise: &Raise, grant: &Grant, generation: i64) -> Result<(), StoreError> {
    let session = SessionDetails {
        references: raise.references.clone().or(&grant.session.references),
        anonymous: false,
        ..grant.session.clone()
    };
    let sql = db.sql(&RAISE);
    let (key, user): (&[u8], &[u8]) = (raise.grant.as_bytes(), raise.user.as_bytes());
    on_conn!(db, |conn| {
        let query = sqlx::query(sql)
            .bind(key)
            .bind(user)
            .bind(raise.scopes.to_string())
            .bind(decode::to_json(&session))
            .bind(raise.expires_at.map(Timestamp::ms))
            .bind(generation)
            .bind(raise.revision.value());
        query.execute(&mut **conn).await.map(drop)
    })?;
    Ok(())
}

impl Store {
    /// Returns once the session is the user's and its older tokens are accepted by nobody any more.
    pub(crate) async fn raise(&self, raise: Raise) -> Result<(Raised, Option<Applied>), StoreError> {
        let raise = Arc::new(raise);
        self.database
            .transact_revoking("session.raise", move |mut db| {
                let raise = Arc::clone(&raise);
                Box::pin(async move { write(&mut db, &raise).await })
            })
            .await
    }
}

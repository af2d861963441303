//! The write that refreshes: exactly one successor per refresh token, however many calls race.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::FromRow;

use super::advance::Advance;
use super::audit::{AuditEvent, audit_insert};
use super::database::{Backend, Database, Db, DbConn};
use super::family::{family_columns, family_rotate};
use super::grant::{grant_columns, grant_joins};
use super::group_commit::Batch;
use super::revoke::{Applied, Revoke, Target};
use super::statement::Statement;
use super::token::{NewToken, token_insert};
use super::{Store, StoreError, audit, family, grant, revoke, token};
use crate::domain::clock::Timestamp;
use crate::domain::family::{Family, Presentation, Rotation};
use crate::domain::grant::{Dead, Grant, TokenOf};
use crate::domain::ids::{GrantId, TokenId};
use crate::domain::token_string::TokenKind;

macro_rules! held_select {
    () => {
        concat!(
            "SELECT ",
            grant_columns!(),
            ", ",
            family_columns!(),
            " FROM grant_ g ",
            grant_joins!(),
            " JOIN refresh_family f ON f.grant_id = g.id WHERE g.id "
        )
    };
}

/// Reads grants with their families and holds both rows until the transaction ends: in the order of the ids, so that
/// two batches can't wait for each other.
static HOLD: Statement = Statement::each(
    "rotate.hold",
    concat!(held_select!(), "= $1"),
    concat!(held_select!(), "= ANY($1) ORDER BY g.id FOR UPDATE OF g, f"),
);
static WRITE: Statement = Statement::each(
    "rotate.write",
    "",
    concat!(
        "WITH audited AS (",
        audit_insert!(),
        "), issued AS (",
        token_insert!(9 10 11 12 13 14 15 16),
        ") ",
        family_rotate!()
    ),
);

pub(super) const STATEMENTS: &[&Statement] = &[&HOLD, &WRITE];

/// A refresh token that was presented, with the successor that was derived for the case that it is current.
#[derive(Clone, Debug)]
pub struct Rotate {
    pub grant: GrantId,
    /// Of the grant, if it was alive when it was read.
    pub alive_as: Option<i64>,
    pub presented: TokenId,
    pub now: Timestamp,
    pub window: Duration,
    /// Somebody has already used the successor, as this process knows before the store does.
    pub successor_seen: Option<i64>,
    pub access: NewToken,
    pub refresh: NewToken,
    pub rotation: Rotation,
    pub audit: AuditEvent,
    /// Written instead when the token turns out to be a replay.
    pub replay: Revoke,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Rotated {
    /// The successor is now current.
    Fresh,
    /// The successor of an earlier call is current; this is how to derive it again.
    Retry(Rotation),
    /// A copy of an old token was used: the grant is revoked.
    Replay(Applied),
    /// The grant is not alive.
    Dead(Dead),
    /// There is no such grant, or it has no family.
    Gone,
}

struct Held {
    grant: Grant,
    family: Family,
    rotated: bool,
    replayed: Option<Applied>,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    grant: grant::Row,
    #[sqlx(flatten)]
    family: family::Row,
}

impl Batch for Rotate {
    type Output = Rotated;

    const NAME: &'static str = "rotate";
    const WRITERS: usize = 2;

    async fn write(db: &mut Db<'_>, members: &[&Self]) -> Result<Vec<Rotated>, StoreError> {
        let mut held = hold(db, members).await?;
        let (mut outputs, mut fresh) = (Vec::with_capacity(members.len()), Vec::new());
        for member in members {
            let output = match held.get_mut(&member.grant) {
                Some(held) => member.decide(db, held).await?,
                None => Rotated::Gone,
            };
            if matches!(output, Rotated::Fresh) {
                fresh.push(*member);
            }
            outputs.push(output);
        }
        if !fresh.is_empty() {
            store(db, &held, &fresh).await?;
        }
        Ok(outputs)
    }

    fn committed(database: &Database, outputs: &[Rotated]) {
        let replays = outputs.iter().filter_map(|output| match output {
            Rotated::Replay(applied) => Some(applied.clone()),
            _ => None,
        });
        let replays: Vec<Applied> = replays.collect();
        if !replays.is_empty() {
            database.sink.committed(&replays);
        }
    }

    fn outcome_unknown(database: &Database) {
        database.sink.outcome_unknown();
    }
}

async fn hold(db: &mut Db<'_>, members: &[&Rotate]) -> Result<HashMap<GrantId, Held>, StoreError> {
    let mut ids: Vec<&[u8]> = members.iter().map(|member| &member.grant.as_bytes()[..]).collect();
    ids.sort_unstable();
    ids.dedup();
    let sql = db.sql(&HOLD);
    let rows: Vec<Row> = match &mut db.conn {
        DbConn::Sqlite(conn) => {
            let mut rows = Vec::with_capacity(ids.len());
            for id in ids {
                rows.extend(sqlx::query_as(sql).bind(id).fetch_optional(&mut **conn).await?);
            }
            rows
        }
        DbConn::Postgres(conn) => sqlx::query_as(sql).bind(ids).fetch_all(&mut **conn).await?,
    };
    let held = rows.into_iter().map(|row| {
        let grant = Grant::try_from(row.grant)?;
        Ok((grant.id, Held { grant, family: row.family.try_into()?, rotated: false, replayed: None }))
    });
    held.collect()
}

/// Writes what the batch has rotated, with the new tokens of `fresh`; one statement on PostgreSQL.
async fn store(db: &mut Db<'_>, held: &HashMap<GrantId, Held>, fresh: &[&Rotate]) -> Result<(), StoreError> {
    let tokens: Vec<_> = fresh.iter().flat_map(|member| [&member.access, &member.refresh]).collect();
    let audits: Vec<_> = fresh.iter().map(|member| &member.audit).collect();
    let rotated = held.values().filter(|held| held.rotated).filter_map(|Held { grant, family, .. }| {
        let rotation = family.rotation.as_ref()?;
        Some(family::Rotated { grant: grant.id, family, rotation })
    });
    let rotated: Vec<_> = rotated.collect();
    match &mut db.conn {
        DbConn::Postgres(conn) => {
            db.counters.count(&WRITE);
            let query = token::bind_all(audit::bind_all(sqlx::query(WRITE.postgres), &audits), &tokens);
            family::bind_all(query, &rotated).execute(&mut **conn).await?;
        }
        DbConn::Sqlite(_) => {
            for one in &rotated {
                family::rotate(db, one).await?;
            }
            token::insert(db, &tokens).await?;
            audit::insert(db, &audits).await?;
        }
    }
    Ok(())
}

impl Rotate {
    async fn decide(&self, db: &mut Db<'_>, held: &mut Held) -> Result<Rotated, StoreError> {
        if let Some(applied) = &held.replayed {
            return Ok(Rotated::Replay(applied.clone()));
        }
        // The generation that was presented is the one before that of the successor.
        let presented = TokenOf { kind: TokenKind::Refresh, generation: self.refresh.generation - 1 };
        if let Err(dead) = held.grant.clone().live_for(presented, self.now) {
            return Ok(Rotated::Dead(dead));
        }
        let family = &mut held.family;
        if let (Some(rotation), Some(seen)) = (&mut family.rotation, self.successor_seen) {
            rotation.successor_used |= seen == family.generation;
        }
        match family.present(self.presented, self.now, self.window) {
            Presentation::Current => {
                *family = family.rotated(self.refresh.id, self.rotation.clone());
                held.rotated = true;
                Ok(Rotated::Fresh)
            }
            Presentation::Retry(rotation) => Ok(Rotated::Retry(rotation)),
            Presentation::Replay => {
                debug_assert_eq!(self.replay.target, Target::Grant(self.grant));
                let applied = revoke::within(db, &self.replay).await?;
                held.replayed = Some(applied.clone());
                Ok(Rotated::Replay(applied))
            }
        }
    }
}

impl Store {
    /// Returns once the successor is durable, or the reason why there is none is.
    pub(crate) async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        if let (Some(version), true) = (rotate.alive_as, matches!(self.database.backend, Backend::Postgres(_))) {
            let advance = Advance { rotate: rotate.clone(), version };
            if self.advance.submit(advance).await? {
                return Ok(Rotated::Fresh);
            }
        }
        self.rotate.submit(rotate).await
    }
}

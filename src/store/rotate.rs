//! The write that refreshes: exactly one successor per refresh token, however many calls race.

use std::collections::HashMap;
use std::time::Duration;

use super::audit::AuditEvent;
use super::database::{Database, Db};
use super::group_commit::Batch;
use super::revoke::{Applied, Revoke, Target};
use super::token::NewToken;
use super::{Store, StoreError, audit, family, grant, revoke, token};
use crate::domain::clock::Timestamp;
use crate::domain::family::{Family, Presentation, Rotation};
use crate::domain::grant::{Dead, Grant, TokenOf};
use crate::domain::ids::{GrantId, TokenId};
use crate::domain::token_string::TokenKind;

/// A refresh token that was presented, with the successor that was derived for the case that it is current.
#[derive(Clone, Debug)]
pub struct Rotate {
    pub grant: GrantId,
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
    /// There is no such family.
    Gone,
}

struct Held {
    grant: Grant,
    family: Option<Family>,
    replayed: Option<Applied>,
}

impl Batch for Rotate {
    type Output = Rotated;

    const NAME: &'static str = "rotate";
    const WRITERS: usize = 2;

    async fn write(db: &mut Db<'_>, members: &[&Self]) -> Result<Vec<Rotated>, StoreError> {
        let mut held = hold(db, members).await?;
        let (mut outputs, mut tokens, mut audits) = (Vec::with_capacity(members.len()), Vec::new(), Vec::new());
        for member in members {
            let Some(Some(held)) = held.get_mut(&member.grant) else {
                outputs.push(Rotated::Gone);
                continue;
            };
            let output = member.decide(db, held).await?;
            if matches!(output, Rotated::Fresh) {
                tokens.extend([&member.access, &member.refresh]);
                audits.push(&member.audit);
            }
            outputs.push(output);
        }
        token::insert(db, &tokens).await?;
        audit::insert(db, &audits).await?;
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

/// Locks every grant and family of the batch, in the order of the ids, so that two batches can't wait for each other.
async fn hold(db: &mut Db<'_>, members: &[&Rotate]) -> Result<HashMap<GrantId, Option<Held>>, StoreError> {
    let mut ids: Vec<GrantId> = members.iter().map(|member| member.grant).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut held = HashMap::with_capacity(ids.len());
    for id in ids {
        let entry = match grant::lock(db, id).await? {
            Some(grant) => Some(Held { grant, family: family::lock(db, id).await?, replayed: None }),
            None => None,
        };
        held.insert(id, entry);
    }
    Ok(held)
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
        let Some(family) = &mut held.family else {
            return Ok(Rotated::Gone);
        };
        if let (Some(rotation), Some(seen)) = (&mut family.rotation, self.successor_seen) {
            rotation.successor_used |= seen == family.generation;
        }
        match family.present(self.presented, self.now, self.window) {
            Presentation::Current => {
                *family = family.rotated(self.refresh.id, self.rotation.clone());
                family::rotate(db, self.grant, family).await?;
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
        self.rotate.submit(rotate).await
    }
}

//! The refresh that nobody contests, on PostgreSQL: one statement, and so one round trip, for a whole batch.
//!
//! It moves a family on only if the presented token is still the current one and the grant is as it was read. Everything
//! else (a repeat, a replay, two calls at once, a grant that was changed meanwhile) changes nothing here and is decided by
//! [`super::rotate`], under locks. The grant is not locked: a revocation that commits meanwhile marks the grant, and with
//! it the tokens that are written here are dead.

use std::collections::HashSet;

use sqlx::Row as _;

use super::database::{Database, Db, DbConn};
use super::family::family_moves;
use super::group_commit::Batch;
use super::rotate::Rotate;
use super::statement::Statement;
use super::{StoreError, audit, decode, family, token};
use crate::domain::family::Family;
use crate::domain::ids::GrantId;

/// Parameters: 1 to 8 the audit rows, 9 to 16 the tokens, 17 to 25 the rotations, 26 the versions of the grants.
static ADVANCE: Statement = Statement::each(
    "rotate.advance",
    "",
    concat!(
        "WITH x AS (SELECT * FROM UNNEST($17::bytea[], $18::bigint[], $19::bytea[], $20::bytea[], $21::bytea[], $22::integer[], \
         $23::bigint[], $24::bigint[], $25::text[], $26::bigint[]) AS x (grant_id, generation, current_token, rotated_from, nonce, \
         key_version, rotated_at, access_expires_at, access_scopes, version)), \
         held AS (SELECT f.grant_id FROM x JOIN refresh_family f ON f.grant_id = x.grant_id JOIN grant_ g ON g.id = x.grant_id \
         WHERE f.current_token = x.rotated_from AND g.version = x.version ORDER BY f.grant_id FOR UPDATE OF f), \
         moved AS (",
        family_moves!(),
        "FROM held h JOIN x ON x.grant_id = h.grant_id WHERE f.grant_id = h.grant_id), \
         issued AS (INSERT INTO token (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) \
         SELECT t.* FROM UNNEST($9::bytea[], $10::text[], $11::bytea[], $12::bytea[], $13::integer[], $14::bigint[], $15::text[], \
         $16::bigint[]) AS t (id, kind, grant_id, digest, key_version, generation, scopes, issued_at) JOIN held h USING (grant_id)), \
         audited AS (INSERT INTO audit_event (id, at, workspace_id, action, actor, target, request_id, detail) \
         SELECT a.id, a.at, a.workspace_id, a.action, a.actor, a.target, a.request_id, a.detail FROM UNNEST($1::bytea[], \
         $2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $17::bytea[]) AS a (id, at, \
         workspace_id, action, actor, target, request_id, detail, grant_id) JOIN held h USING (grant_id)) \
         SELECT grant_id FROM held"
    ),
);

pub(super) const STATEMENTS: &[&Statement] = &[&ADVANCE];

/// A refresh whose token was current, and whose grant was alive, when they were read.
#[derive(Clone, Debug)]
pub(super) struct Advance {
    pub rotate: Rotate,
    /// Of the grant, as it was read.
    pub version: i64,
}

impl Advance {
    /// The family after it.
    fn family(&self) -> Family {
        let Rotate { refresh, rotation, .. } = &self.rotate;
        Family { generation: refresh.generation, current: refresh.id, rotation: Some(rotation.clone()) }
    }
}

impl Batch for Advance {
    /// Whether it is done.
    type Output = bool;

    const NAME: &'static str = "advance";
    const WRITERS: usize = 2;

    fn one_statement(_: &Database, _: &[&Self]) -> bool {
        true
    }

    async fn write(db: &mut Db<'_>, members: &[&Self]) -> Result<Vec<bool>, StoreError> {
        let DbConn::Postgres(conn) = &mut db.conn else {
            return Ok(vec![false; members.len()]);
        };
        // Of calls with the same token the first may win; the others repeat it.
        let mut offered: Vec<&Self> = Vec::with_capacity(members.len());
        for member in members {
            if !offered.iter().any(|one| one.rotate.grant == member.rotate.grant) {
                offered.push(member);
            }
        }
        let audits: Vec<_> = offered.iter().map(|one| &one.rotate.audit).collect();
        let tokens: Vec<_> = offered.iter().flat_map(|one| [&one.rotate.access, &one.rotate.refresh]).collect();
        let families: Vec<Family> = offered.iter().map(|one| one.family()).collect();
        let rotated = offered.iter().zip(&families).map(|(one, family)| family::Rotated {
            grant: one.rotate.grant,
            family,
            rotation: &one.rotate.rotation,
        });
        let rotated: Vec<_> = rotated.collect();
        db.counters.count(&ADVANCE);
        let query = token::bind_all(audit::bind_all(sqlx::query(ADVANCE.postgres), &audits), &tokens);
        let query = family::bind_all(query, &rotated).bind(offered.iter().map(|one| one.version).collect::<Vec<_>>());
        let rows = query.fetch_all(&mut **conn).await?;
        let moved = rows.iter().map(|row| Ok(GrantId::from_bytes(decode::id_bytes(row.try_get(0)?)?)));
        let mut moved = moved.collect::<Result<HashSet<GrantId>, StoreError>>()?;
        // Taken out: a second call with the same token was not offered.
        Ok(members.iter().map(|member| moved.remove(&member.rotate.grant)).collect())
    }
}

//! Revoking single grants on PostgreSQL: mark, log, audit and doorbell of a whole batch in one statement, and so in one round
//! trip.
//!
//! The order in it is what a transaction of several statements would have: the grants are locked first, in the order of
//! their ids, then the head of the log. The count makes sure of it: it needs all that is held.

use std::collections::HashSet;

use sqlx::Row as _;

use super::database::{Db, DbConn};
use super::grant::Revoked;
use super::revision::hurry;
use super::statement::Statement;
use super::{StoreError, audit, decode, event};
use crate::domain::grant::Revision;
use crate::domain::ids::GrantId;
use crate::store::audit::AuditEvent;

/// Parameters: 1 to 8 the audit rows, 9 the grants, 10 to 12 when, by whom and why, 13 the actions that are events.
macro_rules! revoke_grants {
    ($($doorbell:expr)?) => {
        concat!(
            "WITH x AS (SELECT * FROM UNNEST($9::bytea[], $10::bigint[], $11::text[], $12::text[], $1::bytea[], $2::bigint[], \
             $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) AS x (grant_id, at, by, reason, audit_id, \
             audit_at, workspace_id, action, actor, target, request_id, detail)), \
             held AS MATERIALIZED (SELECT id FROM grant_ WHERE id = ANY($9) AND state <> 'revoked' ORDER BY id FOR UPDATE), \
             done AS (SELECT x.* FROM x JOIN held ON held.id = x.grant_id), \
             head AS (UPDATE revocation_head SET seq = seq + 1 WHERE id = 1 AND (SELECT COUNT(*) FROM held) > 0 RETURNING seq), \
             marked AS (UPDATE grant_ g SET state = 'revoked', revoked_at = done.at, revoked_by = done.by, \
             revoke_reason = done.reason, version = g.version + 1 FROM done WHERE g.id = done.grant_id), \
             logged AS (INSERT INTO revocation_log (seq, kind, key, policy, at, workspace) \
             SELECT head.seq, 'grant', done.grant_id, '', done.at, done.workspace_id FROM head, done), \
             audited AS (INSERT INTO audit_event (id, at, workspace_id, action, actor, target, request_id, detail) \
             SELECT audit_id, audit_at, workspace_id, action, actor, target, request_id, detail FROM done), \
             recorded AS (INSERT INTO event (id, workspace_id, action) SELECT audit_id, workspace_id, action FROM done \
             WHERE action = ANY($13)) \
             SELECT head.seq, done.grant_id FROM head, done, ",
            hurry!()
            $(, ", ", $doorbell)?
        )
    };
}

static RING: Statement = Statement::each(
    "revoke.grants",
    "",
    revoke_grants!("LATERAL (SELECT pg_notify('jeton_revocation', '')) AS doorbell"),
);
/// Where the database or what is before it has no LISTEN.
static SILENT: Statement = Statement::each("revoke.grants_silently", "", revoke_grants!());

pub(super) const STATEMENTS: &[&Statement] = &[&RING, &SILENT];

/// Revokes those of `grants`, each named once and with its audit row, that are there and were not revoked before. `None` if
/// there is none: what the head of the log is then, a later statement has to tell, since this one may have waited for
/// whoever revoked them.
pub(super) async fn write(
    db: &mut Db<'_>,
    grants: &[Revoked<'_>],
    audits: &[&AuditEvent],
) -> Result<Option<(Revision, HashSet<GrantId>)>, StoreError> {
    let statement = if db.doorbell { &RING } else { &SILENT };
    let DbConn::Postgres(conn) = &mut db.conn else {
        return Ok(None);
    };
    db.counters.count(statement);
    let rows = audit::bind_all(sqlx::query(statement.postgres), audits)
        .bind(grants.iter().map(|one| &one.id.as_bytes()[..]).collect::<Vec<_>>())
        .bind(grants.iter().map(|one| one.at.ms()).collect::<Vec<_>>())
        .bind(grants.iter().map(|one| one.by).collect::<Vec<_>>())
        .bind(grants.iter().map(|one| one.reason).collect::<Vec<_>>())
        .bind(event::ACTIONS.as_slice())
        .fetch_all(&mut **conn)
        .await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let revision = Revision::new(first.try_get(0)?);
    let marked = rows.iter().map(|row| Ok(GrantId::from_bytes(decode::id_bytes(row.try_get(1)?)?)));
    Ok(Some((revision, marked.collect::<Result<_, StoreError>>()?)))
}

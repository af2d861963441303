//! Many tokens that are stored already: copies of one, made by the database itself.

/// Copies of the grants that are called *template*, each with an id of its own and a millisecond younger: the text for SQLite, and the
/// one for Postgres.
macro_rules! copies {
    ($number:literal) => {
        [
            concat!(
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ",
                $number,
                ") INSERT INTO grant_ (id, workspace_id, policy, policy_version, origin, name, user_id, state, scopes, created_at, \
                 expires_at, version, revision) SELECT unhex(substr(hex(g.id), 1, 12) || printf('%020x', n)), workspace_id, policy, \
                 policy_version, origin, name, user_id, state, scopes, created_at + n, expires_at, version, revision \
                 FROM grant_ g, n WHERE name = 'template'"
            ),
            concat!(
                "INSERT INTO grant_ (id, workspace_id, policy, policy_version, origin, name, user_id, state, scopes, created_at, \
                 expires_at, version, revision) SELECT substring(g.id FROM 1 FOR 6) || decode(lpad(to_hex(n), 20, '0'), 'hex'), \
                 workspace_id, policy, policy_version, origin, name, user_id, state, scopes, created_at + n, expires_at, version, \
                 revision FROM grant_ g, generate_series(1, ",
                $number,
                ") n WHERE name = 'template'; ANALYZE grant_"
            ),
        ]
    };
}

pub(super) const MILLION: [&str; 2] = copies!("1000000");
/// Enough to see that something works.
pub(super) const THOUSANDS: [&str; 2] = copies!("20000");

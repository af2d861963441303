//! Several nodes on one PostgreSQL database: what has been revoked on one is dead on all.

mod joining;
mod revision;
mod revoking;
mod streams;

use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::support::TestServer;

/// A node that has joined and does nothing: as one that was killed. It is removed after twice `lease_ms`.
async fn insert_ghost(server: &TestServer, fingerprint: &str, lease_ms: i64) {
    let mut conn = PgConnection::connect(&server.database.url()).await.unwrap();
    let insert = "INSERT INTO node (id, incarnation, name, config_fingerprint, lease_ms, applied_seq, renewals, joined_at) \
                  VALUES ($1, 1, 'ghost', $2, $3, 0, 7, 0)";
    conn.execute(sqlx::query(insert).bind(&[9_u8; 16][..]).bind(fingerprint).bind(lease_ms)).await.unwrap();
}

/// How often this node has read a token from the database.
fn reads(server: &TestServer) -> u64 {
    server.service().store.counters().of("lookup.tokens")
}

/// Asks until the token is answered from memory: the node's first lease comes a moment after its start.
async fn warm(server: &TestServer, token: &str) {
    loop {
        let before = reads(server);
        server.verify(token).await.expect(200);
        if reads(server) == before {
            return;
        }
    }
}

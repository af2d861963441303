//! Forged tokens cost no query.

use jeton::domain::entropy::Entropy;
use jeton::domain::keys::{KeyRing, MasterKey};
use jeton::domain::token_string::{TokenCodec, TokenKind};
use reqwest::Method;

use crate::support::{TestDatabase, TestServer};

/// As many tasks as the client keeps connections.
const TASKS: usize = 16;

/// Well-formed in everything but the tag: made under another master key.
async fn cause_no_query(count: usize) {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let client = server.client(&[]).await;
    let token = server.access_token(&client).await;
    assert!(server.is_active(&client, &token).await);
    // What runs beside the requests may write: it is let finish first.
    server.service().flush_uses().await.unwrap();
    let before = server.service().store.counters().total();
    let tasks = (0..TASKS).map(|task| {
        let (server, client) = (&server, &client);
        async move {
            let entropy = Entropy::seeded(task as u64);
            let keys = KeyRing::new(&MasterKey::generate(&Entropy::system()), None);
            let forger = TokenCodec::new("jtn", keys).unwrap();
            for _ in 0..count / TASKS {
                let forged = forger.mint(TokenKind::Access, None, &entropy);
                let request =
                    server.request(Method::POST, "/oauth20/introspect").basic_auth(&client.id, Some(&client.secret));
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                let answer = request.body(format!("token={}", forged.string.expose_secret())).send().await.unwrap();
                assert_eq!(
                    (answer.status().as_u16(), answer.text().await.unwrap().as_str()),
                    (200, r#"{"active":false}"#)
                );
            }
        }
    });
    futures_util::future::join_all(tasks).await;
    assert_eq!(server.service().store.counters().total(), before, "forged tokens have reached the database");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_forged_tokens_cause_no_query() {
    cause_no_query(10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask test"]
async fn a_million_forged_tokens_cause_no_query() {
    cause_no_query(1_000_000).await;
}

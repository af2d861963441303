//! kill -9 between a delivery and the write that it was taken.

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, Row as _, SqliteConnection};

use crate::support::process::Jeton;
use crate::support::receiver::{Receiver, Reply};

async fn post(server: &Jeton, path: &str, body: &Value) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{}{path}", server.public)).bearer_auth(server.admin_key());
    let response = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 201);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_before_the_receipt_delivers_again_under_the_same_id() {
    let directory = tempfile::tempdir().unwrap();
    let near = [("JETON__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.0/8")];
    let mut server = Jeton::start(directory.path(), &near);
    let receiver = Receiver::start().await;
    let hook = post(&server, "/admin/v1/webhooks", &json!({ "url": receiver.url(), "types": ["token.created"] })).await;
    receiver.answer([Reply::Silence]);
    let made = post(&server, "/api/v1/tokens", &json!({ "policy": "key", "name": "k" })).await;
    let first = receiver.next().await;
    server.kill();
    let url = format!("sqlite:{}", directory.path().join("jeton.db").display());
    let mut file = SqliteConnection::connect(&url).await.unwrap();
    let left = file.fetch_one("SELECT claimed_until, position_seq FROM webhook").await.unwrap();
    assert!(left.get::<i64, _>(0) > 0, "it was killed while it held the claim");
    // A minute that nobody has to wait for.
    file.execute("UPDATE webhook SET claimed_until = 1").await.unwrap();
    file.close().await.unwrap();
    let server = Jeton::start(directory.path(), &near);
    let second = receiver.next().await;
    let secret = hook["secret"].as_str().unwrap();
    assert_eq!((first.id(), json!(first.subject())), (second.id(), made["token"]["id"].clone()));
    assert!(first.is_signed_by(secret) && second.is_signed_by(secret));
    drop(server);
}

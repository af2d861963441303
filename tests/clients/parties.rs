//! Who takes part in a token's life: the clients and the pair that every library is given.

use reqwest::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::process::Jeton;

/// What a script reads from its standard input.
#[derive(Debug, Serialize)]
pub struct Parties {
    pub issuer: String,
    /// Came with its id and secret from another server.
    pub migrated_client: Confidential,
    /// Has the id and the secret that this service made, which no encoding changes.
    pub ordinary_client: Confidential,
    pub pair: Pair,
}

/// A confidential client for `orders:read` and `orders:write` that may introspect all of the workspace's tokens.
#[derive(Debug, Serialize)]
pub struct Confidential {
    pub client_id: String,
    pub client_secret: String,
}

/// A pair of the policy `api` for `orders:read` and `orders:write`, refreshed by a public client.
#[derive(Debug, Serialize)]
pub struct Pair {
    pub client_id: String,
    pub access_token: String,
    pub refresh_token: String,
}

/// All that is written differently in a form, what separates id and secret in Basic, and what looks like an escape.
const MIGRATED_ID: &str = "my app:1/+%&=?";
const MIGRATED_SECRET: &str = "s3cr3t of: 100%25 + 1/2 = \"more\" & <less>?#~\\';";

impl Parties {
    pub async fn register(jeton: &Jeton) -> Self {
        let migrated = json!({ "client_id": MIGRATED_ID, "client_secret": MIGRATED_SECRET });
        Self {
            issuer: jeton.public.clone(),
            migrated_client: confidential(jeton, migrated).await,
            ordinary_client: confidential(jeton, json!({})).await,
            pair: pair(jeton).await,
        }
    }
}

async fn confidential(jeton: &Jeton, mut request: Value) -> Confidential {
    request["name"] = json!("orders");
    request["grant_types"] = json!(["client_credentials"]);
    request["scopes"] = json!(["orders:read", "orders:write"]);
    request["introspect"] = json!(true);
    let created = create(jeton, "/admin/v1/clients", &request).await;
    Confidential { client_id: text(&created, "client_id"), client_secret: text(&created, "client_secret") }
}

async fn pair(jeton: &Jeton) -> Pair {
    let scopes = ["orders:read", "orders:write"];
    let request = json!({ "policy": "api", "name": "orders", "lifetime": "30d", "scopes": scopes });
    let created = create(jeton, "/api/v1/tokens", &request).await;
    Pair {
        client_id: text(&created, "client_id"),
        access_token: text(&created, "access_token"),
        refresh_token: text(&created, "refresh_token"),
    }
}

async fn create(jeton: &Jeton, path: &str, body: &Value) -> Value {
    let request = http_client().post(format!("{}{path}", jeton.public)).header("api-key", jeton.admin_key());
    let response = request.header(CONTENT_TYPE, "application/json").body(body.to_string()).send().await.unwrap();
    let (status, body) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 201, "POST {path} answered {body}");
    serde_json::from_str(&body).unwrap()
}

fn text(created: &Value, member: &str) -> String {
    created[member].as_str().unwrap_or_else(|| panic!("no {member} in the answer")).to_owned()
}

/// Goes to the service itself: no proxy of the machine, no redirects.
pub fn http_client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

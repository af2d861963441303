//! Imports of legacy tokens, as tests make them.

use reqwest::Method;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::{Answer, TestServer};

/// Ten days after the clock's start.
pub const DEADLINE: &str = "2026-12-01T12:00:00Z";

impl TestServer {
    /// Makes an import of this scheme; `more` are further members of the request.
    pub async fn import(&self, scheme: &str, more: Value) -> String {
        let mut body = json!({ "source": format!("old {scheme}"), "scheme": scheme, "deadline": DEADLINE });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post_json("/admin/v1/legacy-imports", &self.admin_key, &body).await.expect(201).text("id")
    }

    /// Sends rows as NDJSON.
    pub async fn upload(&self, import: &str, query: &str, rows: &[Value]) -> Answer {
        let body: String = rows.iter().map(|row| format!("{row}\n")).collect();
        self.upload_text(import, query, "application/x-ndjson", body).await
    }

    pub async fn upload_text(&self, import: &str, query: &str, media_type: &str, body: String) -> Answer {
        let path = format!("/admin/v1/legacy-imports/{import}/rows{query}");
        let request = self.request(Method::POST, &path).bearer_auth(&self.admin_key);
        self.send(request.header("content-type", media_type).body(body)).await
    }

    /// Imports one token of the administrator in clear.
    pub async fn legacy_token(&self, token: &str) -> String {
        let import = self.import("plain", json!({ "unmapped_owner": { "type": "user", "id": "admin" } })).await;
        let sent = self.upload(&import, "", &[json!({ "token": token })]).await.expect(200);
        assert_eq!(sent.json()["imported"], 1, "{}", sent.body);
        import
    }

    pub async fn import_view(&self, import: &str) -> Value {
        self.get(&format!("/admin/v1/legacy-imports/{import}"), &self.admin_key).await.expect(200).json()
    }
}

pub fn sha256_hex(text: &str) -> String {
    hex(&sha2::Sha256::digest(text))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

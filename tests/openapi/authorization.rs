//! Who may call what: every role at every operation of the document, held against the table in `authorization.md`.
//!
//! A new operation fails this until its row is in the table; the row to judge and to add is in the failure. A cell is the status of the
//! operation's own example, on a thing that was made for the call: by the operator where it belongs to a workspace, by the
//! member where it is one's own.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::operation::{self, Operation};
use crate::support::TestServer;
use crate::support::server::TestClient;

/// Whoever calls: how they make a token for one call, and the one that they have.
struct Role {
    name: &'static str,
    source: Source,
    token: String,
}

enum Source {
    Nobody,
    Client(TestClient),
    /// A key that makes keys, with these scopes.
    Key(String, &'static [&'static str]),
    /// Is refused; never made again.
    Dead,
}

impl Role {
    async fn new(server: &TestServer, name: &'static str, source: Source) -> Self {
        let mut role = Self { name, source, token: String::new() };
        role.renew(server).await;
        role
    }

    /// A call may have ended the token that it was made with.
    async fn renew(&mut self, server: &TestServer) {
        match &self.source {
            Source::Nobody | Source::Dead => {}
            Source::Client(client) => self.token = server.access_token(client).await,
            Source::Key(key, scopes) => {
                let body = json!({ "policy": "key", "name": self.name, "scopes": scopes });
                self.token = server.post_json("/api/v1/tokens", key, &body).await.expect(201).text("api_key");
            }
        }
    }

    fn prove(&self, operation: &Operation, request: RequestBuilder) -> RequestBuilder {
        match &self.source {
            Source::Nobody => request,
            Source::Client(client) if operation.access == "client" => {
                request.basic_auth(&client.id, Some(&client.secret))
            }
            _ => request.bearer_auth(&self.token),
        }
    }
}

/// A key that was revoked, by a role that may do everything.
async fn revoked(server: &TestServer) -> Role {
    let made = server.own_token(&json!({ "policy": "key", "name": "revoked" })).await;
    let path = format!("/api/v1/tokens/{}/revoke", made.json()["token"]["id"].as_str().unwrap());
    server.post_json(&path, &server.admin_key, &json!({})).await.expect(200);
    Role { name: "revoked", source: Source::Dead, token: made.text("api_key") }
}

async fn disabled(server: &TestServer) -> Role {
    let made = server.own_token(&json!({ "policy": "key", "name": "disabled" })).await;
    let path = format!("/api/v1/tokens/{}/disable", made.json()["token"]["id"].as_str().unwrap());
    server.post_json(&path, &server.admin_key, &json!({})).await.expect(200);
    Role { name: "disabled", source: Source::Dead, token: made.text("api_key") }
}

async fn roles(server: &TestServer) -> Vec<Role> {
    let client = server.client(&["orders:read"]).await;
    let member = server.user("member", "member").await.key;
    let admin = server.user("admin2", "admin").await.key;
    let other = server.post_json("/admin/v1/workspaces", &server.admin_key, &json!({ "name": "elsewhere" })).await;
    let other = other.expect(201).text("api_key");
    vec![
        Role::new(server, "anonymous", Source::Nobody).await,
        Role::new(server, "client", Source::Client(client)).await,
        Role::new(server, "member", Source::Key(member.clone(), &[])).await,
        Role::new(server, "member, scoped", Source::Key(member, &["orders:read"])).await,
        Role::new(server, "admin", Source::Key(admin, &[])).await,
        Role::new(server, "admin elsewhere", Source::Key(other, &[])).await,
        Role::new(server, "operator", Source::Key(server.admin_key.clone(), &[])).await,
        disabled(server).await,
        revoked(server).await,
    ]
}

/// The rows of the committed table, by operation.
fn committed() -> BTreeMap<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi/authorization.md");
    let text = std::fs::read_to_string(file).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| (row.split('`').nth(1).unwrap().to_owned(), row.to_owned())).collect()
}

on_both_databases! {
    async fn every_role_at_every_operation_gets_what_the_table_says(server: &TestServer) {
        let (document, mut roles, mut rows) = (operation::document(), roles(server).await, BTreeMap::new());
        let Some(Source::Key(members_key, _)) = roles.iter().find(|role| role.name == "member").map(|role| &role.source) else {
            panic!("no member")
        };
        let members_key = members_key.clone();
        for operation in operation::all(&document) {
            let own = operation.path.starts_with("/api/");
            let mut row = format!("| `{}` |", operation.name());
            for role in &mut roles {
                let maker = if own { &members_key } else { &server.admin_key };
                let prepared = operation.prepare(&document, server, maker).await.remove(0);
                let status = server.send(role.prove(&operation, prepared.request(server))).await.status;
                row.push_str(&format!(" {status} |"));
                if (200..300).contains(&status) && operation.method != Method::GET {
                    role.renew(server).await;
                }
                let names_one = operation.path.starts_with("/admin/") && (operation.path.contains("id}") || operation.path.contains("{import}"));
                let elsewhere = role.name == "admin elsewhere" && names_one;
                assert!(!elsewhere || status >= 400, "{} reaches into another workspace", operation.name());
            }
            rows.insert(operation.name(), row);
        }
        let committed = committed();
        let wrong: Vec<&str> = rows.iter().filter(|(name, row)| committed.get(*name) != Some(row)).map(|(_, row)| row.as_str()).collect();
        let gone: Vec<&String> = committed.keys().filter(|name| !rows.contains_key(*name)).collect();
        assert!(wrong.is_empty() && gone.is_empty(), "rows that differ or are missing in authorization.md:\n{}\nno longer there: {gone:?}", wrong.join("\n"));
    }
}

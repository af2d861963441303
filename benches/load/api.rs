//! What is set up through the server's own API before it is measured.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::script::{Chain, get, post};

/// The administrator's access to one server.
#[derive(Debug)]
pub(crate) struct Api {
    pub address: SocketAddr,
    pub admin_key: String,
}

impl Api {
    /// Registers a client for issuing and introspection; returns its `Authorization` header as a line.
    pub(crate) fn register_client(&self) -> anyhow::Result<String> {
        let scopes = ["orders:read"];
        let body = json!({"name": "load", "grant_types": ["client_credentials"], "scopes": scopes, "introspect": true});
        let client = self.create("/admin/v1/clients", &body)?;
        let (id, secret) = (text(&client, "client_id")?, text(&client, "client_secret")?);
        let credentials = STANDARD.encode(format!("{id}:{secret}"));
        Ok(format!("authorization: Basic {credentials}\r\n"))
    }

    /// Makes a pair of access and refresh token, the begin of a chain of refreshes.
    pub(crate) fn create_pair(&self) -> anyhow::Result<Chain> {
        let pair = self.create("/api/v1/tokens", &json!({"policy": "api", "name": "load", "lifetime": "30d"}))?;
        Ok(Chain::new(text(&pair, "client_id")?, text(&pair, "refresh_token")?))
    }

    pub(crate) fn create(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.post(path, body, 201)
    }

    pub(crate) fn post(&self, path: &str, body: &Value, expected: u16) -> anyhow::Result<Value> {
        let request = post(path, &self.bearer(), "application/json", &body.to_string());
        let answer = call(self.address, &request, expected).with_context(|| format!("POST {path}"))?;
        Ok(serde_json::from_slice(&answer)?)
    }

    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = call(self.address, &get(path, &self.bearer()), 200).with_context(|| format!("GET {path}"))?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Sends a request as it is.
    pub(crate) fn call(&self, request: &[u8], expected: u16) -> anyhow::Result<Vec<u8>> {
        call(self.address, request, expected)
    }

    pub(crate) fn bearer(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.admin_key)
    }
}

/// Sends one request on a connection of its own and returns the body of the answer.
pub(crate) fn call(address: SocketAddr, request: &[u8], expected: u16) -> anyhow::Result<Vec<u8>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut connection = Connection::open(address).await?;
        let answer = connection.call(request).await?;
        let said = String::from_utf8_lossy(answer.body);
        ensure!(answer.status == expected, "expected {expected}, got {}: {said}", answer.status);
        Ok(answer.body.to_owned())
    })
}

fn text<'a>(object: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    object[name].as_str().with_context(|| format!("the answer has no {name}"))
}

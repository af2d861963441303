//! `jeton token …`

use serde_json::{Map, json};

use super::args::Token;
use super::confirm::confirm;
use super::exit::Failed;
use super::output;
use super::remote::Api;

const COLUMNS: [&str; 8] = ["id", "name", "policy", "status", "owner", "created_at", "expires_at", "last_used_at"];

pub(super) fn run(command: Token) -> Result<(), Failed> {
    match command {
        Token::Create { policy, name, lifetime, scopes, remote } => {
            let mut body = Map::new();
            body.insert("policy".to_owned(), json!(policy));
            body.insert("scopes".to_owned(), json!(scopes));
            if let Some(name) = name {
                body.insert("name".to_owned(), json!(name));
            }
            if let Some(lifetime) = lifetime {
                body.insert("lifetime".to_owned(), json!(lifetime));
            }
            let mut made = Api::new(&remote)?.post("/api/v1/tokens", &body.into())?;
            // The id first, then what must be copied now.
            if let Some(answer) = made.as_object_mut() {
                let id = answer["token"]["id"].clone();
                answer.insert("token".to_owned(), id);
            }
            output::object(&made, remote.output)
        }
        Token::List { remote } => output::rows(&Api::new(&remote)?.list("/api/v1/tokens")?, &COLUMNS, remote.output),
        Token::Show { id, remote } => {
            output::object(&Api::new(&remote)?.get(&format!("/api/v1/tokens/{}", segment(&id)))?, remote.output)
        }
        Token::Revoke { id, reason, confirmation, remote } => {
            let api = Api::new(&remote)?;
            confirm(&format!("Revoke token {id}? Requests with it will get HTTP 401."), confirmation)?;
            let answer = api.post(&format!("/api/v1/tokens/{}/revoke", segment(&id)), &json!({ "reason": reason }))?;
            output::object(&answer["token"], remote.output)
        }
        Token::RevokeAll { policy, confirmation, remote } => {
            let api = Api::new(&remote)?;
            confirm(&format!("Revoke all your tokens of policy {policy}?"), confirmation)?;
            let answer = api.post("/api/v1/tokens/revoke-all", &json!({ "policy": policy }))?;
            output::object(&answer, remote.output)
        }
    }
}

/// One segment of a path.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

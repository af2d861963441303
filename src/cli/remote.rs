//! Calls the REST API of a running service.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::args::Remote;
use super::exit::{Exit, Failed};

/// A client of one service, with the caller's token.
pub(super) struct Api {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    url: String,
    token: String,
}

/// Longer than the service itself takes before it gives up.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Pages that `list` follows at most: a million rows.
const MAX_PAGES: usize = 5_000;

impl Api {
    pub(super) fn new(remote: &Remote) -> Result<Self, Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failed::internal)?;
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("jeton/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Failed::internal)?;
        Ok(Self { client, runtime, url: remote.url.trim_end_matches('/').to_owned(), token: token()? })
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Failed> {
        self.call(Method::GET, path, None)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        self.call(Method::POST, path, Some(body))
    }

    pub(super) fn delete(&self, path: &str) -> Result<Value, Failed> {
        self.call(Method::DELETE, path, None)
    }

    /// All pages of a list.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Value>, Failed> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        for _ in 0..MAX_PAGES {
            let mut page = self.get(&format!("{path}?limit=200&cursor={cursor}"))?;
            if let Some(data) = page["data"].as_array_mut() {
                rows.append(data);
            }
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        Ok(rows)
    }

    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failed> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let answer = self.runtime.block_on(async {
            let response = request.send().await?;
            Ok::<_, reqwest::Error>((response.status(), response.bytes().await?))
        });
        let (status, body) = answer.map_err(|error| {
            Failed::new(Exit::Unavailable, format!("{} can't be reached: {}", self.url, root_cause(&error)))
        })?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() { Ok(body) } else { Err(refused(status, &body)) }
    }
}

fn token() -> Result<String, Failed> {
    if let Ok(token) = std::env::var("JETON_TOKEN") {
        return Ok(token.trim().to_owned());
    }
    let Ok(path) = std::env::var("JETON_TOKEN_FILE") else {
        return Err(Failed::new(
            Exit::NotAllowed,
            "set JETON_TOKEN to a token or API key, or JETON_TOKEN_FILE to a file with one (for instance data/admin.key)",
        ));
    };
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| Failed::new(Exit::NotAllowed, format!("{path} can't be read: {error}")))?;
    Ok(text.trim().to_owned())
}

fn refused(status: StatusCode, body: &Value) -> Failed {
    let exit = match status {
        StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::PAYLOAD_TOO_LARGE => Exit::Usage,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::NotAllowed,
        StatusCode::NOT_FOUND => Exit::NotFound,
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => Exit::Conflict,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Exit::Unavailable,
        _ => Exit::Failed,
    };
    let detail = body["detail"].as_str().or_else(|| body["error_description"].as_str()).unwrap_or("no detail");
    let mut message = format!("{status}: {detail}");
    for error in body["errors"].as_array().into_iter().flatten() {
        let (pointer, detail) = (error["pointer"].as_str(), error["detail"].as_str());
        message.push_str(&format!("\n  {} {}", pointer.unwrap_or_default(), detail.unwrap_or_default()));
    }
    if let Some(id) = body["request_id"].as_str() {
        message.push_str(&format!("\n  (request {id})"));
    }
    Failed::new(exit, message)
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

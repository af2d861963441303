//! Calls the REST API of a running service.

use std::io::Read as _;
use std::time::Duration;

use futures_util::stream;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::args::Remote;
use super::exit::{Exit, Failed};
use super::output;

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
/// What is read of a file at a time.
const PART_BYTES: usize = 64 * 1024;

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
        Ok(self.call(Method::GET, path, None, None)?.body)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failed> {
        Ok(self.call(Method::POST, path, Some(body), None)?.body)
    }

    pub(super) fn delete(&self, path: &str) -> Result<Value, Failed> {
        Ok(self.call(Method::DELETE, path, None, None)?.body)
    }

    /// A merge patch on what is there now: an edit in between is refused by the service.
    pub(super) fn edit(&self, path: &str, patch: &Value) -> Result<Value, Failed> {
        let version = self.call(Method::GET, path, None, None)?.etag;
        Ok(self.call(Method::PATCH, path, Some(patch), version.as_deref())?.body)
    }

    /// All pages of a list.
    pub(super) fn list(&self, path: &str, filters: &[(String, String)]) -> Result<Vec<Value>, Failed> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        for _ in 0..MAX_PAGES {
            let page = [("limit".to_owned(), "200".to_owned()), ("cursor".to_owned(), cursor.clone())];
            let mut page = self.get(&query(path, &[filters, &page].concat()))?;
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

    /// The whole list in a form that the service writes, passed on as it arrives.
    pub(super) fn export(&self, path: &str, filters: &[(String, String)], form: Export) -> Result<(), Failed> {
        let request = self.client.get(format!("{}{}", self.url, query(path, filters))).bearer_auth(&self.token);
        // As long as it takes: the list is as long as it is.
        let request = request.header("accept", form.media_type()).timeout(Duration::from_secs(24 * 3600));
        self.runtime.block_on(async {
            let mut response = request.send().await.map_err(|error| self.unreachable(&error))?;
            if !response.status().is_success() {
                let status = response.status();
                let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
                return Err(refused(status, &serde_json::from_slice(&body).unwrap_or_default()));
            }
            while let Some(part) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
                output::raw(&part)?;
            }
            Ok(())
        })
    }

    /// Sends a file of any length, as it is read.
    pub(super) fn upload(&self, path: &str, form: Export, file: std::fs::File) -> Result<Value, Failed> {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = request.header("content-type", form.media_type()).timeout(Duration::from_secs(24 * 3600));
        self.runtime.block_on(async {
            let parts = stream::try_unfold(file, |mut file| async move {
                let mut part = vec![0; PART_BYTES];
                let read = file.read(&mut part)?;
                part.truncate(read);
                Ok::<_, std::io::Error>((read > 0).then_some((part, file)))
            });
            let response = request.body(reqwest::Body::wrap_stream(parts)).send().await;
            let response = response.map_err(|error| self.unreachable(&error))?;
            let status = response.status();
            let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            if status.is_success() { Ok(body) } else { Err(refused(status, &body)) }
        })
    }

    fn call(&self, method: Method, path: &str, body: Option<&Value>, version: Option<&str>) -> Result<Reply, Failed> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = version.into_iter().fold(request, |request, version| request.header("if-match", version));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let answer = self.runtime.block_on(async {
            let response = request.send().await?;
            let etag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(ToOwned::to_owned);
            Ok::<_, reqwest::Error>((response.status(), etag, response.bytes().await?))
        });
        let (status, etag, body) = answer.map_err(|error| self.unreachable(&error))?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() { Ok(Reply { body, etag }) } else { Err(refused(status, &body)) }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failed {
        Failed::new(Exit::Unavailable, format!("{} can't be reached: {}", self.url, root_cause(error)))
    }
}

struct Reply {
    body: Value,
    etag: Option<String>,
}

/// A form of a whole list that the service writes.
#[derive(Clone, Copy)]
pub(super) enum Export {
    Csv,
    Ndjson,
}

impl Export {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

/// The path with these parameters.
pub(super) fn query(path: &str, pairs: &[(String, String)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
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
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED | StatusCode::UNPROCESSABLE_ENTITY => Exit::Conflict,
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

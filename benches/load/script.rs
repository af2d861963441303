//! What a connection asks, and what it must get: an error that is counted as an answer would be measured as speed.

use std::sync::Arc;

use anyhow::bail;

use crate::connection::Answer;

/// The requests of one connection.
pub(crate) trait Script: Send + 'static {
    /// The next request, or `None` when there is nothing left to ask.
    fn request(&mut self) -> Option<&[u8]>;

    /// Looks at the answer. An error ends the measurement.
    fn answer(&mut self, answer: &Answer<'_>) -> anyhow::Result<()>;
}

/// What every answer has to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub status: u16,
    pub body_begins: &'static str,
}

impl Expected {
    fn check(self, answer: &Answer<'_>) -> anyhow::Result<()> {
        if answer.status == self.status && answer.body.starts_with(self.body_begins.as_bytes()) {
            return Ok(());
        }
        bail!(
            "expected {} and a body that begins with {:?}, got {} and {:?}",
            self.status,
            self.body_begins,
            answer.status,
            String::from_utf8_lossy(answer.body)
        )
    }
}

/// The same requests again and again.
pub(crate) struct Repeat {
    requests: Arc<[Vec<u8>]>,
    next: usize,
    expected: Expected,
}

impl Repeat {
    /// One script per connection; they begin at different places of `requests`.
    pub(crate) fn scripts(connections: usize, requests: &Arc<[Vec<u8>]>, expected: Expected) -> Vec<Self> {
        let start = |connection| connection * requests.len() / connections;
        (0..connections).map(|n| Self { requests: Arc::clone(requests), next: start(n), expected }).collect()
    }
}

impl Script for Repeat {
    fn request(&mut self) -> Option<&[u8]> {
        self.next = (self.next + 1) % self.requests.len();
        Some(&self.requests[self.next])
    }

    fn answer(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        self.expected.check(answer)
    }
}

/// Each request once.
pub(crate) struct Once {
    requests: std::vec::IntoIter<Vec<u8>>,
    current: Vec<u8>,
    expected: Expected,
}

impl Once {
    /// One script per connection, each with its share of `requests`.
    pub(crate) fn scripts(connections: usize, requests: Vec<Vec<u8>>, expected: Expected) -> Vec<Self> {
        let mut shares: Vec<Vec<Vec<u8>>> = (0..connections).map(|_| Vec::new()).collect();
        for (number, request) in requests.into_iter().enumerate() {
            shares[number % connections].push(request);
        }
        shares.into_iter().map(|share| Self { requests: share.into_iter(), current: Vec::new(), expected }).collect()
    }
}

impl Script for Once {
    fn request(&mut self) -> Option<&[u8]> {
        self.current = self.requests.next()?;
        Some(&self.current)
    }

    fn answer(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        self.expected.check(answer)
    }
}

/// One request, whose answers each hold another access token; keeps up to `room` of them.
pub(crate) struct Collect {
    request: Vec<u8>,
    room: usize,
    pub tokens: Vec<String>,
}

impl Collect {
    pub(crate) fn new(request: &[u8], room: usize) -> Self {
        Self { request: request.to_owned(), room, tokens: Vec::new() }
    }
}

impl Script for Collect {
    fn request(&mut self) -> Option<&[u8]> {
        (self.tokens.len() < self.room).then_some(&self.request)
    }

    fn answer(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        // 201 from the REST API.
        let status = if answer.status == 201 { 201 } else { 200 };
        Expected { status, body_begins: "{" }.check(answer)?;
        self.tokens.push(member(answer.body, "access_token")?.to_owned());
        Ok(())
    }
}

/// A chain of refreshes: each call presents what the call before was given.
pub(crate) struct Chain {
    client_id: String,
    refresh_token: String,
    request: Vec<u8>,
}

impl Chain {
    pub(crate) fn new(client_id: &str, refresh_token: &str) -> Self {
        Self { client_id: client_id.to_owned(), refresh_token: refresh_token.to_owned(), request: Vec::new() }
    }
}

impl Script for Chain {
    fn request(&mut self) -> Option<&[u8]> {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", &self.refresh_token), ("client_id", &self.client_id)];
        self.request = post_form("/oauth20/token", "", &form);
        Some(&self.request)
    }

    fn answer(&mut self, answer: &Answer<'_>) -> anyhow::Result<()> {
        Expected { status: 200, body_begins: "{\"access_token\":\"" }.check(answer)?;
        let successor = member(answer.body, "refresh_token")?;
        if successor == self.refresh_token {
            bail!("a refresh gave the refresh token that it was given");
        }
        successor.clone_into(&mut self.refresh_token);
        Ok(())
    }
}

/// A POST of a form. `headers` are whole lines.
pub(crate) fn post_form(path: &str, headers: &str, form: &[(&str, &str)]) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    post(path, headers, "application/x-www-form-urlencoded", &body)
}

pub(crate) fn post(path: &str, headers: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: {content_type}\r\n\
         content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}

/// A text member of a JSON object, found without reading the rest.
fn member<'a>(body: &'a [u8], name: &str) -> anyhow::Result<&'a str> {
    let body = std::str::from_utf8(body)?;
    let key = format!("\"{name}\":\"");
    let text = body.split_once(&key).and_then(|(_, rest)| rest.split_once('"')).map(|(text, _)| text);
    text.ok_or_else(|| anyhow::anyhow!("an answer without {name}: {body}"))
}

//! Owns the two requests that a Jeton server is asked: about a token (RFC 7662), and for the stream of revocations.

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use crate::introspection::Introspection;
use crate::validator::Unavailable;

/// Where it is, and who asks.
pub(super) struct Server {
    http: Client,
    introspect: Url,
    revocations: Url,
    client_id: String,
    client_secret: String,
}

/// Why there is no answer. Never that the token is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Not reached, too slow, or something that is no answer.
    NoAnswer,
    /// It can't tell now.
    Later { retry_after_s: Option<u32> },
    /// It does not take the credentials, or does not let this client ask.
    Refused,
}

/// Answers about a token are far smaller.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// When a server that says nothing about it is asked again, in seconds.
const RETRY_AFTER_S: u32 = 1;

impl Server {
    pub(super) fn new(http: Client, url: &Url, client_id: &str, client_secret: &str) -> Self {
        let at = |path: &str| {
            let mut own = url.clone();
            own.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
            own.set_query(None);
            own.set_fragment(None);
            own
        };
        let (client_id, client_secret) = (form_encoded(client_id), form_encoded(client_secret));
        Self {
            http,
            introspect: at("/oauth20/introspect"),
            revocations: at("/oauth20/revocations"),
            client_id,
            client_secret,
        }
    }

    /// What the server says of a token, as of revision `at_least` or newer.
    pub(super) async fn introspect(&self, token: &str, at_least: Option<u64>) -> Result<Introspection, Failure> {
        let body = format!("token={}&follow=revocations", form_encoded(token));
        let request = self.http.post(self.introspect.clone()).basic_auth(&self.client_id, Some(&self.client_secret));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        let request = match at_least {
            Some(revision) => request.header("x-jeton-min-revision", revision),
            None => request,
        };
        let mut response = accepted(request.send().await)?;
        let mut answer = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(no_answer)? {
            if answer.len() + piece.len() > MAX_ANSWER_BYTES {
                return Err(Failure::NoAnswer);
            }
            answer.extend_from_slice(&piece);
        }
        serde_json::from_slice(&answer).map_err(no_answer)
    }

    /// The stream, after revision `since`.
    pub(super) async fn revocations(&self, since: Option<u64>) -> Result<Response, Failure> {
        let mut url = self.revocations.clone();
        if let Some(since) = since {
            url.query_pairs_mut().append_pair("since", &since.to_string());
        }
        let request = self.http.get(url).basic_auth(&self.client_id, Some(&self.client_secret));
        let response = accepted(request.header(ACCEPT, "text/event-stream").send().await)?;
        let is_stream =
            response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if is_stream { Ok(response) } else { Err(Failure::NoAnswer) }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("introspect", &self.introspect.as_str()).finish_non_exhaustive()
    }
}

impl From<Failure> for Unavailable {
    fn from(failure: Failure) -> Self {
        let retry_after_s = match failure {
            Failure::Later { retry_after_s: Some(seconds) } => seconds.max(1),
            Failure::Later { retry_after_s: None } | Failure::NoAnswer | Failure::Refused => RETRY_AFTER_S,
        };
        Self { retry_after_s }
    }
}

fn accepted(response: reqwest::Result<Response>) -> Result<Response, Failure> {
    let response = response.map_err(no_answer)?;
    match response.status() {
        StatusCode::OK => Ok(response),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failure::Refused),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Failure::Later { retry_after_s: seconds })
        }
        _ => Err(Failure::NoAnswer),
    }
}

fn no_answer<E: std::error::Error>(_: E) -> Failure {
    Failure::NoAnswer
}

/// How long to wait for a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// `application/x-www-form-urlencoded`, in which ids and secrets stand in Basic credentials too (RFC 6749 §2.3.1).
fn form_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes everything");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_form_is_encoded() {
        assert_eq!(form_encoded("jtn_a_0+/=~&é"), "jtn_a_0%2B%2F%3D%7E%26%C3%A9");
    }

    #[test]
    fn paths_are_those_below_the_url() {
        let url = "https://auth.example/jeton/?x=1".parse().unwrap();
        let server = Server::new(Client::new(), &url, "id", "very secret");
        assert_eq!(server.introspect.as_str(), "https://auth.example/jeton/oauth20/introspect");
        assert_eq!(server.revocations.as_str(), "https://auth.example/jeton/oauth20/revocations");
        assert!(!format!("{server:?}").contains("secret"));
    }
}

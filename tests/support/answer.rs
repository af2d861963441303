//! One HTTP answer, with the assertions that tests make of it.

use reqwest::header::HeaderMap;
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.expect("a body that ends") }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a readable header"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no text {field} in {}", self.body)).to_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(!self.header("x-request-id").is_empty(), "an answer without a request id");
        self
    }

    /// An OAuth error in JSON, never cached, with the request's id in it.
    #[track_caller]
    pub fn expect_oauth_error(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.json()["error"], code, "{}", answer.body);
        assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
        assert!(answer.json()["error_description"].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(answer.header("cache-control"), "no-store");
        answer
    }

    /// A refused token: RFC 6750 §3.
    #[track_caller]
    pub fn expect_invalid_token(self) -> Self {
        let answer = self.expect(401);
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer realm="), "{challenge}");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        answer
    }

    /// Problem details, with a field named.
    #[track_caller]
    pub fn expect_field_error(self, pointer: &str) -> Self {
        let answer = self.expect(400);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().any(|error| error["pointer"] == pointer), "no {pointer} in {}", answer.body);
        answer
    }
}

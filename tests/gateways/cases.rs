//! What holds behind every gateway.

use std::net::SocketAddr;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::gateway::{Gateway, Kind};
use super::tap::Tap;
use super::upstream::{Upstream, WEBSOCKET_ACCEPT, WEBSOCKET_KEY};
use crate::support::{Answer, TestServer};

/// Larger than any body that the token service reads, and than what a gateway keeps in memory.
const LARGE_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Of a decision; a body would be far more.
const MOST_BYTES_TO_JETON: u64 = 4096;

/// A gateway with what stands before and behind it.
struct Line {
    tap: Tap,
    service: Upstream,
    gateway: Gateway,
}

impl Line {
    async fn to(server: &TestServer, kind: Kind) -> Self {
        Self::through(Tap::before(server.url.strip_prefix("http://").unwrap().parse().unwrap()).await, kind).await
    }

    async fn through(tap: Tap, kind: Kind) -> Self {
        let service = Upstream::start().await;
        let gateway = Gateway::start(kind, tap.address, service.address).await;
        Self { tap, service, gateway }
    }
}

pub async fn a_good_token_reaches_the_service_with_its_identity(server: &TestServer, kind: Kind) {
    let line = Line::to(server, kind).await;
    let client = server.client(&["orders:read", "orders:write"]).await;
    let token = server.access_token(&client).await;
    // The query is the service's: none of it becomes a demand or a credential.
    let target = "/orders/1?scope=admin&workspace=x&access_token=x";
    let request = || line.gateway.request(Method::GET, target);
    let mut requests = vec![request().bearer_auth(&token)];
    requests.extend(["api-key", "x-api-key"].map(|name| request().header(name, &token)));
    for request in requests {
        let answer = line.gateway.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["target"], target);
        assert_eq!(sent(&answer, "x-auth-subject"), [client.id.as_str()]);
        assert_eq!(sent(&answer, "x-auth-client"), [client.id.as_str()]);
        assert_eq!(sent(&answer, "x-auth-workspace"), ["default"]);
        assert_eq!(sent(&answer, "x-auth-scope"), ["orders:read orders:write"]);
        assert_eq!(sent(&answer, "x-auth-expires"), ["1795266000"]);
        assert!(token.contains(&sent(&answer, "x-auth-token-id")[0]));
        assert!(!answer.body.contains(&token), "the service has got the token: {}", answer.body);
    }
}

pub async fn what_is_refused_never_reaches_the_service(server: &TestServer, kind: Kind) {
    let line = Line::to(server, kind).await;
    let missing = line.gateway.send(line.gateway.request(Method::GET, "/")).await;
    assert_eq!(missing.status, 401);
    assert!(missing.header("www-authenticate").starts_with("Bearer realm="), "{:?}", missing.headers);
    line.gateway.get("garbage").await.expect_challenge(401, "invalid_token");

    let other = server.access_token(&server.client(&["orders:write"]).await).await;
    let refused = line.gateway.get(&other).await.expect_challenge(403, "insufficient_scope");
    assert!(refused.header("www-authenticate").contains("scope=\"orders:read\""), "{:?}", refused.headers);

    let twice = line.gateway.request(Method::GET, "/").bearer_auth(&other).header("api-key", &other);
    line.gateway.send(twice).await.expect_challenge(400, "invalid_request");
    assert_eq!(line.service.requests(), 0);

    let token = server.access_token(&server.client(&["orders:read"]).await).await;
    assert_eq!(line.gateway.get(&token).await.status, 200);
    server.delete("/oauth20/access-token", &token).await.expect(200);
    line.gateway.get(&token).await.expect_challenge(401, "invalid_token");
    assert_eq!(line.service.requests(), 1);
}

pub async fn an_identity_that_the_client_claims_is_dropped(server: &TestServer, kind: Kind) {
    let line = Line::to(server, kind).await;
    // A key of a person: some of the headers do not apply to it, and are empty.
    let key = json!({ "policy": "key", "name": "claims", "scopes": ["orders:read"] });
    let key = server.own_token(&key).await.text("api_key");
    let mut request = line.gateway.request(Method::GET, "/").header("api-key", &key);
    for name in ["subject", "client", "workspace", "scope", "token-id", "expires"] {
        // A service that speaks WSGI or CGI can't tell them apart.
        for spelled in [format!("X-Auth-{name}"), format!("x_auth_{name}"), format!("X-Auth_{name}")] {
            request = request.header(&spelled, "forged").header(spelled.replace("token-", "token_"), "forged");
        }
    }
    let answer = line.gateway.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!answer.body.contains("forged"), "{}", answer.body);
    assert_eq!(sent(&answer, "x-auth-workspace"), ["default"]);
}

pub async fn an_outage_stays_a_503(server: &TestServer, kind: Kind) {
    let line = Line::to(server, kind).await;
    let token = server.access_token(&server.client(&["orders:read"]).await).await;
    server.forget();
    server.service().store.close().await;
    let answer = line.gateway.get(&token).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    // Envoy takes a 5xx for no answer at all, and gives one of its own.
    assert_eq!(answer.headers.contains_key("retry-after"), !matches!(kind, Kind::Envoy), "{:?}", answer.headers);
    assert_eq!(line.service.requests(), 0);
}

pub async fn large_bodies_and_websockets_go_to_the_service_alone(server: &TestServer, kind: Kind) {
    let line = Line::to(server, kind).await;
    let token = server.access_token(&server.client(&["orders:read"]).await).await;
    let upload = line.gateway.request(Method::POST, "/orders").bearer_auth(&token).body(vec![b'x'; LARGE_BODY_BYTES]);
    let answer = line.gateway.send(upload).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["body_bytes"], LARGE_BODY_BYTES);

    let (head, mut socket) = upgrade(line.gateway.address, &token).await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains(WEBSOCKET_ACCEPT), "{head}");
    let frame = [0x81, 0x85, 0, 0, 0, 0, b'h', b'e', b'l', b'l', b'o'];
    socket.write_all(&frame).await.unwrap();
    let mut echoed = [0; 11];
    socket.read_exact(&mut echoed).await.unwrap();
    assert_eq!(echoed, frame);

    let (head, _) = upgrade(line.gateway.address, "garbage").await;
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    assert_eq!(line.service.requests(), 2);
    assert!(line.tap.bytes_to_jeton() < MOST_BYTES_TO_JETON, "{} bytes went to Jeton", line.tap.bytes_to_jeton());
}

pub async fn nobody_passes_when_jeton_is_stopped(kind: Kind) {
    let tap = Tap::silent().await;
    let stopped = tap.address;
    let Line { tap, service, gateway } = Line::through(tap, kind).await;
    tap.stop().await;
    assert!(TcpStream::connect(stopped).await.is_err(), "somebody listens");
    expect_denied(&gateway.get("any").await, &service);
}

pub async fn nobody_passes_when_jeton_does_not_answer(kind: Kind) {
    let line = Line::through(Tap::silent().await, kind).await;
    expect_denied(&line.gateway.get("any").await, &line.service);
}

#[track_caller]
fn expect_denied(answer: &Answer, service: &Upstream) {
    assert!((500..600).contains(&answer.status), "{}: {}", answer.status, answer.body);
    assert_eq!(service.requests(), 0);
}

impl Answer {
    /// A refusal that says why in the way of RFC 6750 §3, and once.
    #[track_caller]
    fn expect_challenge(self, status: u16, error: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers.get_all("www-authenticate").iter().count(), 1, "{:?}", self.headers);
        let challenge = self.header("www-authenticate");
        assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}");
        self
    }
}

/// The values of a header that reached the service.
fn sent(answer: &Answer, name: &str) -> Vec<String> {
    let headers = answer.json()["headers"].as_array().cloned().unwrap_or_default();
    let of_that_name = headers.iter().filter(|header| header[0].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)));
    of_that_name.filter_map(|header| header[1].as_str()).map(str::to_owned).collect()
}

/// Asks for a WebSocket; returns the head of the answer and the connection behind it.
async fn upgrade(gateway: SocketAddr, token: &str) -> (String, TcpStream) {
    let mut socket = TcpStream::connect(gateway).await.unwrap();
    let request = format!(
        "GET /orders/live HTTP/1.1\r\nHost: {gateway}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {WEBSOCKET_KEY}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    (String::from_utf8(head).unwrap(), socket)
}

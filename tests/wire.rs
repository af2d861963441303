//! What holds for every answer: request ids, unknown routes, limits of the HTTP layer.

use std::time::Duration;

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{TestDatabase, TestServer};

on_both_databases! {
    async fn a_sane_request_id_is_taken_over_and_another_is_replaced(server: &TestServer) {
        let with = async |id: &str| {
            let request = server.request(Method::GET, "/nowhere").header("x-request-id", id);
            server.send(request).await.expect(404)
        };
        let kept = with("trace-1.2:3").await;
        assert_eq!(kept.header("x-request-id"), "trace-1.2:3");
        assert_eq!(kept.json()["request_id"], "trace-1.2:3");
        for bad in ["a b", "<script>", &"x".repeat(129), "", "\u{1f600}"] {
            let made = with(bad).await.header("x-request-id").to_owned();
            assert_ne!(made, bad);
            assert_eq!(uuid::Uuid::parse_str(&made).unwrap().get_version_num(), 7);
        }
    }

    async fn unknown_paths_and_methods_are_problems(server: &TestServer) {
        let missing = server.get("/oauth20/nothing", "x").await.expect(404);
        assert_eq!(missing.json()["code"], "not_found");
        assert_eq!(missing.header("content-type"), "application/problem+json");
        let wrong = server.send(server.request(Method::PATCH, "/api/v1/tokens")).await.expect(405);
        assert_eq!(wrong.json()["code"], "method_not_allowed");
    }
}

/// Sends raw bytes and reads until the server closes or has answered.
async fn raw(server: &TestServer, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server neither answers nor closes");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_and_oversized_requests_end_the_connection_with_a_4xx() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(40_000));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200));
    for (bytes, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/9.9\r\n\r\n", "400"),
        (long.as_str(), "431"),
        (many.as_str(), "431"),
        ("POST /oauth20/token HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", "400"),
        (
            "POST /oauth20/token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n0\r\n\r\n",
            "40",
        ),
    ] {
        let answer = raw(&server, bytes.as_bytes()).await;
        let line = answer.lines().next().unwrap_or_default().to_owned();
        assert!(line.starts_with(&format!("HTTP/1.1 {status}")), "{line:?} for {:?}", &bytes[..40.min(bytes.len())]);
    }
    server.verify(&server.admin_key).await.expect(200);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_finish_its_head_is_cut_off() {
    let options = vec![("http.header_timeout", "1s".to_owned())];
    let server = TestServer::start_with(TestDatabase::sqlite(), options).await;
    for start in [&b""[..], b"G", b"PRI", b"GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
        stream.write_all(start).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "still open after {start:?}");
    }
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_without_tls_is_served_to_who_begins_with_its_preface() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let answer =
        client.get(format!("{}/oauth20/verify", server.url)).bearer_auth(&server.admin_key).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_finishes_the_request_in_flight() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let body = "grant_type=client_credentials";
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /oauth20/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is in flight.
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 100");
    let finished = tokio::spawn(server.finish());
    // New connections are refused once the listener is gone.
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 401"), "{answer}");
    finished.await.unwrap();
}

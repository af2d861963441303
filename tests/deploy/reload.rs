//! Limits that a running process takes on SIGHUP, each seen from outside.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixDatagram};
use tokio::time::{interval, timeout};

use crate::support::certificates::Authority;
use crate::support::process::Jeton;

/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process whose configuration is a file, and what it tells its service manager.
struct Reloaded {
    jeton: Jeton,
    file: PathBuf,
    manager: UnixDatagram,
    http: reqwest::Client,
}

impl Reloaded {
    async fn start(directory: &Path, config: &str) -> Self {
        let (file, socket) = (directory.join("jeton.toml"), directory.join("notify"));
        std::fs::write(&file, config).unwrap();
        let manager = UnixDatagram::bind(&socket).unwrap();
        let environment = [("JETON_CONFIG", file.to_str().unwrap()), ("NOTIFY_SOCKET", socket.to_str().unwrap())];
        let jeton = Jeton::start(directory, &environment);
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let started = Self { jeton, file, manager, http };
        started.is_told("READY=1").await;
        started
    }

    async fn is_told(&self, message: &str) {
        let mut buffer = [0; 256];
        let length = timeout(PATIENCE, self.manager.recv(&mut buffer)).await.expect("a message").unwrap();
        assert_eq!(std::str::from_utf8(&buffer[..length]), Ok(message));
    }

    /// Returns once this configuration is in force.
    async fn take(&self, config: &str) {
        std::fs::write(&self.file, config).unwrap();
        self.jeton.signal("-HUP");
        self.is_told("RELOADING=1").await;
        self.is_told("READY=1").await;
    }

    /// Waits until the log has this: the thread that copies it is not to be hurried.
    async fn logged(&self, what: &str) {
        let mut look = interval(Duration::from_millis(20));
        let appears = async {
            while !self.jeton.log().contains(what) {
                look.tick().await;
            }
        };
        assert!(timeout(PATIENCE, appears).await.is_ok(), "no {what} in {}", self.jeton.log());
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.jeton.public.strip_prefix("http://").unwrap()).await.unwrap()
    }

    /// The status of one request on this connection, which stays open.
    async fn ask(&self, stream: &mut TcpStream) -> String {
        stream.write_all(b"GET /oauth20/verify HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut status = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut status)).await.expect("an answer").unwrap();
        String::from_utf8_lossy(&status).into_owned()
    }

    /// The same after the rest of an answer that was begun.
    async fn ask_again(&self, stream: &mut TcpStream) -> String {
        let mut byte = [0];
        let mut before = [0; 2];
        // The body is one JSON object without another inside.
        while &before != b"\"}" {
            timeout(PATIENCE, stream.read_exact(&mut byte)).await.expect("the rest").unwrap();
            before = [before[1], byte[0]];
        }
        self.ask(stream).await
    }

    /// The beginning of a request whose body does not come.
    async fn half_a_request(&self) -> TcpStream {
        let mut stream = self.connect().await;
        let head = "POST /oauth20/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n\r\na";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    async fn verify(&self, key: &str) -> reqwest::Response {
        let url = format!("{}/oauth20/verify", self.jeton.public);
        self.http.get(url).bearer_auth(key).send().await.unwrap()
    }

    /// The value of a metric without labels.
    async fn metric(&self, name: &str) -> f64 {
        let text = self.http.get(format!("{}/metrics", self.jeton.management)).send().await.unwrap().text().await;
        let text = text.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }
}

/// All that comes until the connection ends.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is cut off may end by a reset.
    let _reset = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection ends");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn bodies_and_proxies_are_judged_by_the_new_limits() {
    let directory = tempfile::tempdir().unwrap();
    let server = Reloaded::start(directory.path(), "").await;
    let post = async || {
        let request = server.http.post(format!("{}/oauth20/token", server.jeton.public));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body("x".repeat(1001)).send().await.unwrap().status().as_u16()
    };
    let key = server.jeton.admin_key();
    let client_of_a_session = async || {
        let request = server.http.get(format!("{}/oauth20/access-token", server.jeton.public));
        let request = request.header("api-key", &key).header("x-forwarded-for", "192.0.2.7");
        let answer = request.send().await.unwrap().text().await.unwrap();
        // The next one is a session of its own.
        let token: Value = serde_json::from_str(&answer).unwrap();
        let end = server.http.delete(format!("{}/oauth20/access-token", server.jeton.public));
        let end = end.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(end.status(), 200);
        answer
    };
    assert_eq!(post().await, 401);
    let before = client_of_a_session().await;
    assert!(before.contains("127.0.0.1") && !before.contains("192.0.2.7"), "{before}");

    server.take("[http]\nmax_body_bytes = 1000\ntrusted_proxies = [\"127.0.0.1\"]\n").await;
    assert_eq!(post().await, 413);
    let after = client_of_a_session().await;
    assert!(after.contains("192.0.2.7"), "{after}");

    server.take("").await;
    assert_eq!(post().await, 401);
}

#[tokio::test]
async fn more_connections_are_let_in_and_fewer_cut_nobody_off() {
    let directory = tempfile::tempdir().unwrap();
    let with = |most: u32| format!("[http]\nmax_connections = {most}\nheader_timeout = \"1h\"\n");
    let server = Reloaded::start(directory.path(), &with(1)).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    assert_eq!(server.ask(&mut first).await, "HTTP/1.1 401");
    second.write_all(b"GET /oauth20/verify HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(server.metric("jeton_http_connections").await < 2.0);

    server.take(&with(2)).await;
    let mut status = [0; 12];
    timeout(PATIENCE, second.read_exact(&mut status)).await.expect("the second is let in").unwrap();
    assert_eq!(&status, b"HTTP/1.1 401");

    server.take(&with(1)).await;
    assert_eq!(server.ask_again(&mut first).await, "HTTP/1.1 401");
    let mut third = server.connect().await;
    third.write_all(b"GET /oauth20/verify HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(server.metric("jeton_http_connections").await <= 2.0);
    drop((first, second));
    timeout(PATIENCE, third.read_exact(&mut status)).await.expect("it is let in once they have left").unwrap();
    assert_eq!(&status, b"HTTP/1.1 401");
}

#[tokio::test]
async fn slow_clients_are_timed_by_the_new_limits() {
    let directory = tempfile::tempdir().unwrap();
    let slow = "[http]\nheader_timeout = \"1h\"\nrequest_timeout = \"1h\"\n";
    let server = Reloaded::start(directory.path(), slow).await;
    // Without a reload neither of the two would end before the patience does.
    server.take("[http]\nheader_timeout = \"1s\"\nrequest_timeout = \"3s\"\n[validation]\nlease = \"1s\"\n").await;
    server.logged("\"needs_restart\":\"validation.lease\"").await;
    let mut head = server.connect().await;
    head.write_all(b"GET / HT").await.unwrap();
    assert_eq!(rest(head).await, "");
    let mut body = server.half_a_request().await;
    let mut status = [0; 12];
    timeout(PATIENCE, body.read_exact(&mut status)).await.expect("an answer").unwrap();
    assert_eq!(&status, b"HTTP/1.1 503");
}

#[tokio::test]
async fn the_last_requests_get_the_new_time_to_finish() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Reloaded::start(directory.path(), "[http]\ndrain_timeout = \"1h\"\n").await;
    server.take("[http]\ndrain_timeout = \"1s\"\n").await;
    let unfinished = server.half_a_request().await;
    // Behind it in the queue: once this is answered, the other is being served.
    let mut other = server.connect().await;
    assert_eq!(server.ask(&mut other).await, "HTTP/1.1 401");
    server.jeton.signal("-TERM");
    assert!(server.jeton.ended_cleanly());
    server.logged("some requests did not finish in time").await;
    drop(unfinished);
}

#[tokio::test]
async fn what_is_kept_here_and_elsewhere_is_bounded_anew() {
    let directory = tempfile::tempdir().unwrap();
    let server = Reloaded::start(directory.path(), "[validation]\ncache_max_age = 60\n").await;
    let key = server.jeton.admin_key();
    let client = r#"{"name":"asks","grant_types":["client_credentials"],"introspect":true}"#;
    let made = server.http.post(format!("{}/admin/v1/clients", server.jeton.public)).bearer_auth(&key);
    let made = made.header("content-type", "application/json").body(client).send().await.unwrap();
    let client: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
    let follow = async || {
        let request = server.http.get(format!("{}/oauth20/revocations?follow=false", server.jeton.public));
        let request = request.basic_auth(client["client_id"].as_str().unwrap(), client["client_secret"].as_str());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(server.verify(&key).await.headers()["cache-control"], "private, max-age=60");
    assert_eq!(follow().await, 200);
    assert!(server.metric("jeton_cache_tokens").await > 0.0);

    server.take("[validation]\ncache_max_age = 0\ncache_bytes = 0\nmax_streams = 0\n").await;
    assert!(server.metric("jeton_cache_tokens").await == 0.0);
    assert_eq!(server.verify(&key).await.headers()["cache-control"], "no-store");
    assert_eq!(follow().await, 503);
}

#[tokio::test]
async fn handshakes_are_timed_by_the_new_limit() {
    let directory = tempfile::tempdir().unwrap();
    let issued = Authority::new().issue(directory.path(), "server", 90);
    let with = |most: &str| {
        let (certificate, key) = (&issued.certificate, &issued.key);
        format!("[http.tls]\ncertificate = {certificate:?}\nkey = {key:?}\nhandshake_timeout = \"{most}\"\n")
    };
    let server = Reloaded::start(directory.path(), &with("1h")).await;
    server.take(&with("1s")).await;
    assert_eq!(rest(server.connect().await).await, "");
    server.take("").await;
    server.logged("\"needs_restart\":\"http.tls.certificate\"").await;
}

#[tokio::test]
async fn limits_that_would_let_nobody_in_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let server = Reloaded::start(directory.path(), "[validation]\ncache_max_age = 60\n").await;
    let key = server.jeton.admin_key();
    for zero in ["max_connections", "header_timeout", "max_body_bytes"] {
        server.take(&format!("[http]\n{zero} = 0\n")).await;
        server.logged(&format!("http.{zero}: must be at least 1")).await;
    }
    server.take("[log]\nlevel = \"a=b=c\"\n").await;
    server.logged("log.level: ").await;
    assert_eq!(server.verify(&key).await.headers()["cache-control"], "private, max-age=60");
}

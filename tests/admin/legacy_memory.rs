//! A file of any length is imported in the same memory: measured on the real binary.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use crate::support::TestDatabase;
use crate::support::process::Jeton;

/// Rows beyond which memory must not grow. `JETON_TEST_MILLION=1` makes it a million, which takes minutes in a debug build.
fn rows() -> usize {
    if std::env::var_os("JETON_TEST_MILLION").is_some() { 1_000_000 } else { 100_000 }
}

/// What both caches of the database and the allocator may take once, however many rows come.
const GROWTH_KB: u64 = 24 * 1024;
const WARM_UP: usize = 20_000;

/// Sends these rows, made up while they are sent; returns the summary.
fn upload(server: &Jeton, import: &str, range: std::ops::Range<usize>) -> serde_json::Value {
    let mut stream = TcpStream::connect(server.public.strip_prefix("http://").unwrap()).unwrap();
    let head = format!(
        "POST /admin/v1/legacy-imports/{import}/rows?from_line={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: \
         Bearer {}\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n",
        range.start + 1,
        server.admin_key()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut next = range.start;
    while next < range.end {
        let until = (next + 200).min(range.end);
        let piece: String =
            (next..until).map(|number| format!("{{\"hash\":\"{number:064x}\",\"user\":\"admin\"}}\n")).collect();
        stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).unwrap();
        next = until;
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

/// The most memory that the process has had so far.
fn peak_kb(server: &Jeton) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn memory_does_not_grow(database: TestDatabase) {
    let server = Jeton::fresh(&database);
    // Deadlines are bounded by the policy: half a year from now, whenever that is.
    let now = jeton::domain::clock::Clock::system().now();
    let deadline = now.plus(std::time::Duration::from_secs(180 * 24 * 3600)).seconds();
    let body = json!({ "source": "old", "scheme": "sha256", "deadline": deadline }).to_string();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{}/admin/v1/legacy-imports", server.public)).bearer_auth(server.admin_key());
    let made = request.header("content-type", "application/json").body(body).send().await.unwrap();
    let made: serde_json::Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
    let import = made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let (server, grown) = tokio::task::spawn_blocking(move || {
        assert_eq!(upload(&server, &import, 0..WARM_UP)["imported"], WARM_UP);
        let before = peak_kb(&server);
        let total = rows();
        assert_eq!(upload(&server, &import, WARM_UP..total)["imported"], total - WARM_UP);
        let grown = peak_kb(&server) - before;
        (server, grown)
    })
    .await
    .unwrap();
    drop(server);
    database.remove().await;
    assert!(grown < GROWTH_KB, "{} rows took {grown} kB more than {WARM_UP}", rows());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes half a minute: cargo xtask test"]
async fn a_long_file_takes_no_more_memory_than_a_short_one_on_sqlite() {
    memory_does_not_grow(TestDatabase::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_long_file_takes_no_more_memory_than_a_short_one_on_postgres() {
    memory_does_not_grow(TestDatabase::postgres().await).await;
}

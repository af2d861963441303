//! Forged tokens cost no query, however many there are.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use jeton::domain::entropy::Entropy;
use jeton::domain::keys::{KeyRing, MasterKey};
use jeton::domain::token_string::{TokenCodec, TokenKind};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::TestDatabase;
use crate::support::process::Jeton;

const CONNECTIONS: usize = 4;
/// Requests that are sent before their answers are read.
const PIPELINE: usize = 50;
const ANSWER: &[u8] = br#"{"active":false}"#;

/// Well-formed in everything but the tag: made under another master key.
fn forge(entropy: &Entropy, forger: &TokenCodec) -> String {
    forger.mint(TokenKind::Access, None, entropy).string.expose_secret().clone()
}

/// Asks about `count` forged tokens on one connection; every answer must be that they are inactive.
fn ask(address: &str, authorization: &str, count: usize, seed: u64) {
    let keys = KeyRing::new(&MasterKey::generate(&Entropy::system()), None);
    let (forger, entropy) = (TokenCodec::new("jtn", keys).unwrap(), Entropy::seeded(seed));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let inactive = AhoCorasick::new([ANSWER]).unwrap();
    let (mut answers, mut chunk) = (Vec::new(), [0; 65_536]);
    for _ in 0..count / PIPELINE {
        let requests: String = (0..PIPELINE)
            .map(|_| {
                let body = format!("token={}", forge(&entropy, &forger));
                format!(
                    "POST /oauth20/introspect HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n\
                     content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
            })
            .collect();
        stream.write_all(requests.as_bytes()).unwrap();
        answers.clear();
        // All answers are equally long, and the last one ends with the body that all must have.
        while answers.len() < PIPELINE * answer_length(&answers) || !answers.ends_with(ANSWER) {
            let read = stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the server closed: {}", String::from_utf8_lossy(&answers));
            answers.extend_from_slice(&chunk[..read]);
        }
        assert_eq!(inactive.find_iter(&answers).count(), PIPELINE, "{}", String::from_utf8_lossy(&answers));
    }
}

/// The length of the first answer; more than can arrive while it is not complete.
fn answer_length(answers: &[u8]) -> usize {
    let end = answers.windows(ANSWER.len()).position(|window| window == ANSWER);
    end.map_or(usize::MAX / PIPELINE, |end| end + ANSWER.len())
}

/// Statements that were sent for requests: those of the background work have names of their own.
async fn statements(http: &reqwest::Client, server: &Jeton) -> u64 {
    let text = http.get(format!("{}/metrics", server.management)).send().await.unwrap().text().await.unwrap();
    let lines = text.lines().filter(|line| line.starts_with("jeton_db_statements_total"));
    let background = [
        "\"event.",
        "\"expiry_notice.",
        "\"schema.",
        "\"webhook.",
        "\"maintenance.",
        "\"usage.",
        "\"figure.",
        "\"census.",
    ];
    let own = lines.filter(|line| !background.iter().any(|name| line.contains(name)));
    own.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

async fn cause_no_query(count: usize) {
    let database = TestDatabase::sqlite();
    let server = Jeton::fresh(&database);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({ "name": "x", "grant_types": ["client_credentials"], "introspect": true }).to_string();
    let request = http.post(format!("{}/admin/v1/clients", server.public)).bearer_auth(server.admin_key());
    let made = request.header(CONTENT_TYPE, "application/json").body(body).send().await.unwrap();
    let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
    let pair = format!("{}:{}", made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    let authorization = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let address = server.public.strip_prefix("http://").unwrap().to_owned();
    // The client itself is read once.
    ask(&address, &authorization, PIPELINE, 0);
    let before = statements(&http, &server).await;
    assert!(before > 0, "the counter counts");
    std::thread::scope(|scope| {
        for seed in 1..=CONNECTIONS as u64 {
            let (address, authorization) = (&address, &authorization);
            scope.spawn(move || ask(address, authorization, count / CONNECTIONS, seed));
        }
    });
    assert_eq!(statements(&http, &server).await, before, "forged tokens have reached the database");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_forged_tokens_cause_no_query() {
    cause_no_query(10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask test"]
async fn a_million_forged_tokens_cause_no_query() {
    cause_no_query(1_000_000).await;
}

//! A real OpenID Connect provider (node-oidc-provider) as a process of its own, and somebody who signs in there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::support::server::Options;

/// What the provider is told at its start.
pub struct Provider {
    pub issuer: String,
    parameters: Value,
    process: Process,
}

struct Process {
    child: Child,
    /// Kept open: it dies of writing where nobody reads.
    _out: BufReader<ChildStdout>,
}

pub const CLIENT: &str = "jeton: console";
pub const CLIENT_SECRET: &str = "a secret & 100% long enough";

/// How a provider differs from the usual one.
#[derive(Clone, Copy, Default)]
pub struct Ways {
    /// The client has no secret.
    pub public: bool,
    /// The secret goes into the body.
    pub post: bool,
    /// An ID token has the subject only; the rest is told at the UserInfo endpoint.
    pub bare: bool,
}

impl Provider {
    /// Starts a provider that sends people back to a server with this public URL.
    pub fn start(public_url: &str, ways: Ways, people: &Value) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let method = match ways {
            Ways { public: true, .. } => "none",
            Ways { post: true, .. } => "client_secret_post",
            _ => "client_secret_basic",
        };
        let mut client = json!({
            "client_id": CLIENT, "redirect_uris": [format!("{public_url}/console/sign-in/oidc/callback")],
            "response_types": ["code"], "grant_types": ["authorization_code"], "token_endpoint_auth_method": method,
        });
        if !ways.public {
            client["client_secret"] = json!(CLIENT_SECRET);
        }
        let parameters = json!({ "port": port, "client": client, "people": people, "claims_in_id_token": !ways.bare });
        let process = spawn(&parameters);
        Self { issuer: format!("http://127.0.0.1:{port}"), parameters, process }
    }

    /// Takes the provider away.
    pub fn stop(&mut self) {
        self.process.child.kill().unwrap();
        self.process.child.wait().unwrap();
    }

    /// Starts it again, under the same issuer, with new keys and these people.
    pub fn restart(&mut self, people: &Value) {
        let _gone = self.process.child.kill();
        self.process.child.wait().unwrap();
        self.parameters["people"] = people.clone();
        self.process = spawn(&self.parameters);
    }

    /// What a server is configured with to have people sign in by it.
    pub fn options(&self) -> Options {
        let mut options = vec![
            ("console.oidc.issuer", self.issuer.clone()),
            ("console.oidc.client_id", CLIENT.to_owned()),
            ("console.oidc.label", "Acme".to_owned()),
        ];
        if let Some(secret) = self.parameters["client"]["client_secret"].as_str() {
            options.push(("console.oidc.client_secret", secret.to_owned()));
        }
        options
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _gone = self.process.child.kill();
        let _reaped = self.process.child.wait();
    }
}

fn spawn(parameters: &Value) -> Process {
    let node = std::env::var("JETON_TEST_NODE").expect("JETON_TEST_NODE is set by cargo xtask test");
    let modules = std::env::var("JETON_TEST_NODE_PATH").expect("JETON_TEST_NODE_PATH is set by cargo xtask test");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/oidc_provider.mjs");
    let mut child = Command::new(node)
        .arg(script)
        .env("NODE_PATH", modules)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("node runs");
    child.stdin.take().unwrap().write_all(parameters.to_string().as_bytes()).unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // It warns about itself first.
    while line.trim() != "ready" {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "the provider does not start");
    }
    Process { child, _out: out }
}

/// A browser at the provider.
#[derive(Default)]
pub struct Visitor {
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Visitor {
    /// Follows a sign-in to its end, as `login`, or cancels it. Returns where the provider sends the browser.
    pub async fn go(&self, http: &reqwest::Client, url: &str, login: Option<&str>) -> String {
        let issuer = url::Url::parse(url).unwrap();
        let mut at = issuer.clone();
        let mut form = None;
        for _ in 0..10 {
            let request = match form.take() {
                None => http.get(at.clone()),
                Some(body) => http
                    .post(at.clone())
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body::<String>(body),
            };
            let cookies: Vec<String> =
                self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
            for line in answer.headers().get_all("set-cookie") {
                let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
                let value = rest.split(';').next().unwrap();
                self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
            }
            let status = answer.status();
            if status.is_redirection() {
                let location = answer.headers()["location"].to_str().unwrap();
                at = at.join(location).unwrap();
                if at.origin() != issuer.origin() {
                    return at.into();
                }
                continue;
            }
            assert!(status.is_success(), "{at}: {status} {}", answer.text().await.unwrap());
            let pairs = [("login", login.unwrap_or_default()), ("do", if login.is_some() { "in" } else { "cancel" })];
            form = Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish());
        }
        panic!("the provider sends people in a circle")
    }
}

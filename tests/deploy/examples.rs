//! The clients of `deploy/examples`, as their readers run them.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{interval, timeout};

use super::{deployed, program};
use crate::support::server::TestClient;
use crate::support::{TestDatabase, TestServer};

/// Go compiles a TLS library first.
const PATIENCE: Duration = Duration::from_secs(300);

macro_rules! examples {
    ($($name:ident $command:expr;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs the language that cargo xtask test installs"]
            async fn on_sqlite() {
                lives(TestDatabase::sqlite(), || $command).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs PostgreSQL and the language: cargo xtask test"]
            async fn on_postgres() {
                lives(TestDatabase::postgres().await, || $command).await;
            }
        }
    )*};
}

examples! {
    curl std::process::Command::new(deployed("examples/curl.sh"));
    python with(program("PYTHON"), &["-I"], "python/client.py");
    javascript {
        let mut node = with(program("NODE"), &[], "javascript/client.mjs");
        node.env("NODE_PATH", std::env::var("JETON_TEST_NODE_PATH").expect("cargo xtask test sets it"));
        node
    };
    go {
        let mut go = with(program("GO"), &["run"], "go/main.go");
        // The library as Debian has it: no proxy of modules is asked.
        go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
        go.env("GOCACHE", std::env::temp_dir().join("jeton-test-go"));
        go
    };
    java with(program("JAVA"), &[], "java/Client.java");
}

fn with(mut command: std::process::Command, options: &[&str], file: &str) -> std::process::Command {
    command.args(options).arg(deployed("examples").join(file));
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the example of jeton-guard, which cargo xtask test builds"]
async fn a_service_with_the_guard_refuses_a_revoked_token_and_lets_nobody_in_without_jeton() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let client = server.client(&["orders:read"]).await;
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut service = Command::new(Path::new(env!("CARGO_BIN_EXE_jeton")).with_file_name("examples").join("orders"));
    service.env("JETON_URL", &server.url).env("CLIENT_ID", &client.id).env("CLIENT_SECRET", &client.secret);
    let service = service.env("LISTEN", &listen).kill_on_drop(true).spawn().expect("the example is built");
    let listens = async {
        let mut look = interval(Duration::from_millis(20));
        while TcpStream::connect(&listen).await.is_err() {
            look.tick().await;
        }
    };
    timeout(PATIENCE, listens).await.expect("the service listens");
    let orders = async |token: &str| {
        let request = server.http.get(format!("http://{listen}/orders")).bearer_auth(token);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };

    let token = server.access_token(&client).await;
    assert_eq!(orders(&token).await, (200, format!("The orders of {}\n", client.id)));
    assert_eq!(orders(&server.admin_key).await.0, 403);
    server.delete("/oauth20/access-token", &token).await.expect(200);
    assert_eq!(orders(&token).await.0, 401);

    let token = server.access_token(&client).await;
    server.forget();
    server.service().store.close().await;
    assert_eq!(orders(&token).await.0, 503);
    drop(service);
    server.finish().await;
}

/// The example does all of it with a good client, and says what is wrong with a bad one.
async fn lives(database: TestDatabase, command: impl Fn() -> std::process::Command) {
    let server = TestServer::start(database).await;
    let client = server.client(&["orders:read"]).await;
    let (succeeded, said) = run(&server, &client, command()).await;
    assert!(succeeded && said.lines().last() == Some("ok"), "{said}");
    let wrong = TestClient { secret: "wrong".to_owned(), ..client };
    let (succeeded, said) = run(&server, &wrong, command()).await;
    assert!(!succeeded && (said.contains("invalid_client") || said.contains("401")), "{said}");
    server.finish().await;
}

/// Whether it has succeeded, and what it has said; the errors first.
async fn run(server: &TestServer, client: &TestClient, command: std::process::Command) -> (bool, String) {
    let mut command = Command::from(command);
    command.env("JETON_URL", &server.url).env("CLIENT_ID", &client.id).env("CLIENT_SECRET", &client.secret);
    command.env("NO_PROXY", "*").kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = command.spawn().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
    let output = timeout(PATIENCE, process.wait_with_output()).await.expect("the example hangs").unwrap();
    let said = [output.stderr, output.stdout].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

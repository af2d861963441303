//! The clients of `deploy/examples`, as their readers run them.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

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

//! `deploy/local/run`: several nodes behind nginx by one command.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use super::site::Site;
use super::{deployed, program};
use crate::support::TestDatabase;

const NODES: u16 = 3;
/// Debug builds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
#[ignore = "needs PostgreSQL, nginx and Prometheus: cargo xtask test"]
async fn three_nodes_behind_nginx_stand_after_one_command_and_are_gone_after_one_signal() {
    // The package that has the one has the other, which the script finds on the path.
    assert!(Path::new(program("PROMTOOL").get_program()).with_file_name("prometheus").exists());
    let database = TestDatabase::postgres().await;
    let mut script = Site::start(&database.url(), NODES, &[]);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();

    let minted =
        http.get(script.url(0, "/oauth20/access-token")).header("api-key", script.admin_key()).send().await.unwrap();
    let minted: Value = serde_json::from_str(&minted.text().await.unwrap()).unwrap();
    let token = minted["access_token"].as_str().unwrap();
    let verify = async |offset| {
        let request = http.get(script.url(offset, "/oauth20/verify")).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    for node in 0..=NODES {
        assert_eq!(verify(node).await, 200, "node {node}");
    }
    let revoked = http.delete(script.url(0, "/oauth20/access-token")).bearer_auth(token).send().await.unwrap();
    assert_eq!(revoked.status(), 200);
    for node in 0..=NODES {
        assert_eq!(verify(node).await, 401, "node {node}");
    }

    let up = script.url(300, "/api/v1/query?query=count(up%7Bjob%3D%22jeton%22%7D%20%3D%3D%201)");
    let all = NODES.to_string();
    let scraped = async {
        let mut look = interval(Duration::from_millis(200));
        loop {
            look.tick().await;
            let Ok(answer) = http.get(&up).send().await else { continue };
            let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
            if answer["data"]["result"][0]["value"][1].as_str() == Some(all.as_str()) {
                return;
            }
        }
    };
    timeout(PATIENCE, scraped).await.expect("Prometheus reads the metrics of each node");

    assert!(script.stop(), "the script ends well");
    for offset in [0, 1, 2, 3, 101, 102, 103, 300] {
        assert!(
            TcpStream::connect(("127.0.0.1", script.port(offset))).await.is_err(),
            "port +{offset} is still served"
        );
    }
    database.remove().await;
}

/// What the manual has an operator type, up to the cluster that the test above looks at.
#[test]
fn a_cluster_takes_three_commands_from_a_clone() {
    let manual = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    let (_, chapter) = manual.split_once("## Trying several nodes\n").unwrap();
    let block = chapter.split("```").nth(1).unwrap();
    let commands: Vec<&str> = block.lines().skip(1).filter(|line| !line.is_empty()).collect();
    assert!(commands.len() <= 4, "with clone and cd no more than six: {commands:?}");
    assert_eq!(commands.last(), Some(&"deploy/local/run"));
    let packages: Vec<&str> = commands[0].split_whitespace().skip_while(|word| *word != "--yes").skip(1).collect();
    let script = std::fs::read_to_string(deployed("local/run")).unwrap();
    for package in packages {
        assert!(script.contains(package), "{package} is not what the script starts");
    }
}

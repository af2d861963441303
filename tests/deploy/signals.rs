//! What the process tells a service manager, and what SIGHUP does.

use std::path::Path;
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::time::{interval, timeout};

use crate::support::process::Jeton;

/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stands in for systemd.
struct Manager(UnixDatagram);

impl Manager {
    fn listen(socket: &Path) -> Self {
        Self(UnixDatagram::bind(socket).unwrap())
    }

    async fn is_told(&self, message: &str) {
        let mut buffer = [0; 256];
        let length = timeout(PATIENCE, self.0.recv(&mut buffer)).await.expect("a message").unwrap();
        assert_eq!(std::str::from_utf8(&buffer[..length]), Ok(message));
    }
}

/// Waits until the log has this; the process and the thread that copies its log are not to be hurried.
async fn logged(jeton: &Jeton, what: &str) {
    let mut look = interval(Duration::from_millis(20));
    let appears = async {
        while !jeton.log().contains(what) {
            look.tick().await;
        }
    };
    assert!(timeout(PATIENCE, appears).await.is_ok(), "no {what} in {}", jeton.log());
}

#[tokio::test]
async fn a_service_manager_hears_of_ready_reloading_and_stopping() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("notify");
    let manager = Manager::listen(&socket);
    let mut jeton = Jeton::start(directory.path(), &[("NOTIFY_SOCKET", socket.to_str().unwrap())]);
    manager.is_told("READY=1").await;
    jeton.signal("-HUP");
    manager.is_told("RELOADING=1").await;
    manager.is_told("READY=1").await;
    jeton.signal("-TERM");
    manager.is_told("STOPPING=1").await;
    assert!(jeton.ended_cleanly());
}

#[tokio::test]
async fn nobody_to_tell_is_not_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("nobody");
    let mut jeton = Jeton::start(directory.path(), &[("NOTIFY_SOCKET", gone.to_str().unwrap())]);
    logged(&jeton, "the service manager could not be told").await;
    jeton.signal("-TERM");
    assert!(jeton.ended_cleanly());
}

#[tokio::test]
async fn sighup_changes_the_level_and_names_what_needs_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("notify");
    let manager = Manager::listen(&socket);
    let file = directory.path().join("jeton.toml");
    std::fs::write(&file, "[log]\nlevel = \"info\"\n").unwrap();
    let environment = [("JETON_CONFIG", file.to_str().unwrap()), ("NOTIFY_SOCKET", socket.to_str().unwrap())];
    let jeton = Jeton::start(directory.path(), &environment);
    manager.is_told("READY=1").await;
    let ask = async || reqwest::get(format!("{}/oauth20/verify", jeton.public)).await.unwrap().status();
    assert_eq!(ask().await, 401);
    let reload = async |config: &str| {
        std::fs::write(&file, config).unwrap();
        jeton.signal("-HUP");
        manager.is_told("RELOADING=1").await;
        manager.is_told("READY=1").await;
    };

    reload("[log]\nlevel = \"debug\"\n[database]\nconnections = 5\n[tokens]\nbrand = \"other\"\n").await;
    logged(&jeton, "\"needs_restart\":\"database.connections, tokens.brand\"").await;
    // What was logged before the reload is in the file by now.
    assert!(!jeton.log().contains("jeton::access"), "{}", jeton.log());
    assert_eq!(ask().await, 401);
    logged(&jeton, "jeton::access").await;

    reload("[log]\nlevel = \"debug\"\nlevl = 1\n").await;
    logged(&jeton, "the configuration is left as it was").await;
    assert_eq!(ask().await, 401);

    reload("[log]\nlevel = \"a=b=c\"\n").await;
    logged(&jeton, "log.level").await;
    reload("[log]\nlevel = \"info\"\n").await;
    logged(&jeton, "\"needs_restart\":\"\"").await;
    let lines = jeton.log().matches("jeton::access").count();
    assert_eq!(ask().await, 401);
    reload("[log]\nlevel = \"warn\"\n").await;
    assert_eq!(jeton.log().matches("jeton::access").count(), lines);
}

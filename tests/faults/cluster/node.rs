//! A node of the cluster: the real binary, which reaches its database through a proxy and reads a wall clock that can
//! be moved.

use std::fs;
use std::net::ToSocketAddrs as _;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::process::Jeton;
use crate::support::proxy::Proxy;

pub(super) struct Node {
    /// What it is called in the table of nodes.
    pub(super) name: String,
    pub(super) process: Jeton,
    pub(super) proxy: Proxy,
    directory: TempDir,
    clock: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Node {
    /// The node of this number. A build with mutants follows the wrong order of this name.
    pub(super) async fn start(database: &str, key: &str, number: usize, mutant: Option<&str>) -> Self {
        let mut url = url::Url::parse(database).unwrap();
        let target = (url.host_str().unwrap(), url.port().unwrap_or(5432)).to_socket_addrs().unwrap().next().unwrap();
        let proxy = Proxy::start(target).await;
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(proxy.address.port())).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let clock = directory.path().join("clock");
        fs::write(&clock, "+0").unwrap();
        let name = format!("node-{number}");
        let mut environment = vec![
            ("JETON__VALIDATION__NODE_NAME", name.clone()),
            ("DATABASE_URL", url.to_string()),
            ("JETON__KEYS__MASTER", key.to_owned()),
            ("JETON__DATABASE__CONNECTIONS", "6".to_owned()),
            ("LD_PRELOAD", std::env::var("JETON_TEST_FAKETIME").expect("cargo xtask test sets JETON_TEST_FAKETIME")),
            ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap().to_owned()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        environment.extend(mutant.map(|mutant| ("JETON_MUTANT", mutant.to_owned())));
        Self { name, process: launch(&directory, &environment), proxy, directory, clock, environment }
    }

    /// kill -9, and another process in its place.
    pub(super) fn restart(&mut self) {
        self.process.kill();
        self.process = launch(&self.directory, &self.environment);
    }

    /// Moves its wall clock to so many seconds from the true time; the node notices within a second.
    pub(super) fn move_clock(&self, seconds: i64) {
        fs::write(&self.clock, format!("{seconds:+}")).unwrap();
    }
}

fn launch(directory: &TempDir, environment: &[(&'static str, String)]) -> Jeton {
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    tokio::task::block_in_place(|| Jeton::start(directory.path(), &environment))
}

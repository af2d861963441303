//! What `deploy/local/run` sets up: nodes behind nginx, as real processes, which other scripts then act on.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use super::{deployed, succeed};

/// The script and all that it has started.
pub struct Site {
    pub said: Vec<String>,
    directory: TempDir,
    process: Child,
    port: u16,
}

/// Ports that one site may use.
const PORTS: u16 = 400;
static NEXT: AtomicU16 = AtomicU16::new(0);

impl Site {
    /// Returns once it says that it is ready.
    pub fn start(database_url: &str, nodes: u16, environment: &[(&str, &str)]) -> Self {
        let directory = tempfile::Builder::new().prefix("jeton-site-").tempdir().unwrap();
        let port = free_ports();
        let mut command = Command::new(deployed("local/run"));
        command.arg(directory.path()).env("PORT", port.to_string()).env("NODES", nodes.to_string());
        command.env("DATABASE_URL", database_url).env("JETON", env!("CARGO_BIN_EXE_jeton"));
        command.envs(environment.iter().copied());
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said: Vec<String> = Vec::new();
        for line in lines.map_while(Result::ok) {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with("Ready: ")) {
                break;
            }
        }
        let site = Self { said, directory, process, port };
        assert!(site.said.last().is_some_and(|line| line.starts_with("Ready: ")), "{:?}", site.said);
        site
    }

    pub fn port(&self, offset: u16) -> u16 {
        self.port + offset
    }

    /// Through nginx at offset 0, of a node itself at its number.
    pub fn url(&self, offset: u16, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port(offset))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn admin_key(&self) -> String {
        std::fs::read_to_string(self.path("node1/admin.key")).unwrap().trim().to_owned()
    }

    /// A script of `deploy/`, with this site as what it acts on.
    pub fn command(&self, script: &str) -> Command {
        let mut command = Command::new(deployed(script));
        command.env("DIRECTORY", self.directory.path()).env_remove("DATABASE_URL").stdin(Stdio::null());
        command
    }

    /// `deploy/local/node`, which has to succeed.
    #[track_caller]
    pub fn node(&self, arguments: &[&str]) -> String {
        let output = succeed(self.command("local/node").args(arguments));
        String::from_utf8(output.stdout).unwrap()
    }

    /// `deploy/runbook/roll` over these nodes.
    pub fn roll(&self, nodes: u16, options: &[&str]) -> Command {
        let mut command = self.command("runbook/roll");
        command.args(options);
        command.args((1..=nodes).map(|node| format!("node{node}={}", self.url(100 + node, ""))));
        command.arg("--").arg(deployed("local/node")).arg("restart");
        command
    }

    pub fn stop(&mut self) -> bool {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        asked.is_ok_and(|status| status.success()) && self.process.wait().is_ok_and(|status| status.success())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.stop();
        }
    }
}

/// The first of some that nobody listens on now. Below those that the operating system gives to others.
fn free_ports() -> u16 {
    let first = u16::try_from(std::process::id() % 30).unwrap();
    (0..30)
        .map(|_| 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 30 * PORTS)
        .find(|port| {
            [0, 1, 2, 3, 4, 101, 102, 103, 104, 200, 300]
                .iter()
                .all(|offset| TcpListener::bind(("127.0.0.1", port + offset)).is_ok())
        })
        .expect("ports that are free")
}

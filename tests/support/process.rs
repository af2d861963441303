//! The real binary as a process of its own, for what a process must survive.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::TestDatabase;

pub struct Jeton {
    pub public: String,
    pub management: String,
    pub data_dir: PathBuf,
    child: Child,
    _own_directory: Option<TempDir>,
}

/// A debug build on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

impl Jeton {
    /// Starts the binary in a directory of its own, on this database.
    pub fn fresh(database: &TestDatabase) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut server = Self::start(directory.path(), &[("DATABASE_URL", &database.url())]);
        server._own_directory = Some(directory);
        server
    }

    /// Starts the binary on ephemeral ports and waits until it is ready.
    pub fn start(data_dir: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = command();
        command.stdout(Stdio::null());
        Self::spawn(command, data_dir, environment)
    }

    /// The same by a command that becomes the process.
    pub fn spawn(mut command: Command, data_dir: &Path, environment: &[(&str, &str)]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(data_dir.join("log")).expect("a log file");
        let mut child = command
            .current_dir(data_dir)
            .env("JETON__DATA_DIR", data_dir)
            .env("JETON__HTTP__LISTEN", "127.0.0.1:0")
            .env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0")
            .env("JETON__LOG__FORMAT", "json")
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (sender, ready) = mpsc::channel();
        let stderr = child.stderr.take().expect("piped");
        std::thread::spawn(move || copy_until_the_end(BufReader::new(stderr), log, &sender));
        let line = ready.recv_timeout(START_TIMEOUT).unwrap_or_else(|error| {
            let log = std::fs::read_to_string(data_dir.join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            panic!("the server does not become ready: {error}: {}", lines[lines.len().saturating_sub(12)..].join("\n"))
        });
        let address = |name: &str| format!("http://{}", line[name].as_str().expect("an address"));
        Self {
            public: address("public"),
            management: address("management"),
            data_dir: data_dir.to_owned(),
            child,
            _own_directory: None,
        }
    }

    pub fn admin_key(&self) -> String {
        let key = std::fs::read_to_string(self.data_dir.join("admin.key")).expect("the first run writes the key");
        key.trim().to_owned()
    }

    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data_dir.join("log")).expect("a log file")
    }

    /// SIGKILL: no time for anything.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process is there");
        self.child.wait().expect("the process ends");
    }

    /// Waits for the end that a signal has asked for.
    pub fn ended_cleanly(&mut self) -> bool {
        self.child.wait().expect("the process ends").success()
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }
}

impl Drop for Jeton {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The binary, without this process's own configuration.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jeton"));
    for (name, _) in std::env::vars() {
        if name.starts_with("JETON_") || ["DATABASE_URL", "PORT", "RUST_LOG"].contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command
}

fn copy_until_the_end(from: impl std::io::BufRead, mut to: impl std::io::Write, ready: &mpsc::Sender<Value>) {
    for line in from.lines().map_while(Result::ok) {
        let _disk_full = writeln!(to, "{line}");
        if let Ok(event) = serde_json::from_str::<Value>(&line)
            && event["message"] == "ready"
        {
            let _nobody_waits = ready.send(event);
        }
    }
}

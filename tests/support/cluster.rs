//! A PostgreSQL cluster of a test's own, which it may stop and start.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub struct Cluster {
    directory: TempDir,
    bin: PathBuf,
    user: Option<String>,
    port: u16,
}

impl Cluster {
    /// Makes and starts a cluster with the binaries that `cargo xtask test` has found.
    pub fn start() -> Self {
        let bin = std::env::var("JETON_TEST_PG_BIN").expect("JETON_TEST_PG_BIN is set by cargo xtask test");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::Builder::new().prefix("jeton-pg-").tempdir_in("/tmp").unwrap();
        let user = std::env::var("JETON_TEST_PG_USER").ok();
        let cluster = Self { directory, bin: bin.into(), user, port };
        if let Some(user) = &cluster.user {
            let owned = Command::new("chown").arg(user).arg(cluster.directory.path()).status().unwrap();
            assert!(owned.success());
        }
        let data = cluster.data();
        cluster.run("initdb", &["-D", &data, "-U", "jeton", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
        cluster.resume();
        cluster
    }

    pub fn url(&self) -> String {
        format!("postgres://jeton@127.0.0.1:{}/postgres", self.port)
    }

    /// As a crash would: connections are cut, nothing is written.
    pub fn stop(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    pub fn resume(&self) {
        let directory = self.directory.path().display();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -p {} -c unix_socket_directories={directory} -c max_connections=100",
            self.port
        );
        let log = format!("{directory}/log");
        self.run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &options, "-w", "start"]);
    }

    fn data(&self) -> String {
        self.directory.path().join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program).args(arguments).status().unwrap();
        assert!(status.success(), "{program} {arguments:?}");
    }

    /// A program of PostgreSQL, run by a user that is not root.
    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = match &self.user {
            None => Command::new(program),
            Some(user) => {
                let mut command = Command::new("su");
                command.args(["-s", "/bin/sh", user, "-c", "exec \"$@\"", "--", "sh"]).arg(program);
                command
            }
        };
        // The server inherits these: a pipe would never end.
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _stopped_already = self.command("pg_ctl").args(["-D", &self.data(), "-m", "immediate", "stop"]).status();
    }
}

//! A PostgreSQL cluster of a test's own, which it may stop and start.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use sqlx::{Connection as _, PgConnection};
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
        Self::start_with("")
    }

    /// With these lines in its `postgresql.conf`, in which `DIRECTORY` is one of the cluster's own.
    pub fn start_with(settings: &str) -> Self {
        let cluster = Self::new();
        let data = cluster.data();
        cluster.run("initdb", &["-D", &data, "-U", "jeton", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
        let settings = settings.replace("DIRECTORY", &cluster.directory.path().display().to_string());
        let mut file = File::options().append(true).open(cluster.path("data/postgresql.conf")).unwrap();
        writeln!(file, "{settings}").unwrap();
        cluster.resume();
        cluster
    }

    /// A standby of this cluster, which replication knows by this name.
    pub fn standby(&self, name: &str) -> Self {
        let standby = Self::new();
        let primary = format!("host=127.0.0.1 port={} user=jeton application_name={name}", self.port);
        let data = standby.data();
        standby.run("pg_basebackup", &["-D", &data, "-d", &primary, "-R", "-c", "fast", "--no-sync"]);
        standby.resume();
        standby
    }

    /// An empty directory of its user's, and a port.
    fn new() -> Self {
        let bin = std::env::var("JETON_TEST_PG_BIN").expect("JETON_TEST_PG_BIN is set by cargo xtask test");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::Builder::new().prefix("jeton-pg-").tempdir_in("/tmp").unwrap();
        let user = std::env::var("JETON_TEST_PG_USER").ok();
        let cluster = Self { directory, bin: bin.into(), user, port };
        if let Some(user) = &cluster.user {
            let owned = Command::new("chown").arg(user).arg(cluster.directory.path()).status().unwrap();
            assert!(owned.success());
        }
        cluster
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Who may connect, from now on: lines of `pg_hba.conf`.
    pub fn allow(&self, lines: &str) {
        std::fs::write(self.path("data/pg_hba.conf"), lines).unwrap();
        self.run("pg_ctl", &["-D", &self.data(), "reload"]);
    }

    pub fn url(&self) -> String {
        format!("postgres://jeton@127.0.0.1:{}/postgres", self.port)
    }

    /// As a crash would: connections are cut, nothing is written.
    pub fn stop(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }

    pub fn resume(&self) {
        let log = self.path("log").display().to_string();
        self.run("pg_ctl", &["-D", &self.data(), "-l", &log, "-o", &self.options(), "-w", "start"]);
    }

    /// Of the server.
    pub fn options(&self) -> String {
        let directory = self.directory.path().display();
        let port = self.port;
        format!("-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={directory} -c max_connections=100")
    }

    /// The time of the server, between its transactions of before and those that follow.
    pub async fn moment(&self) -> String {
        const NOW: &str = r#"SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#;
        let mut server = PgConnection::connect(&self.url()).await.unwrap();
        sqlx::query_scalar(NOW).fetch_one(&mut server).await.unwrap()
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

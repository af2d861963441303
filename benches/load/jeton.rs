//! The server under test: the built binary with an empty store of its own.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStderr, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::{Api, call};
use crate::cpu::Meter;
use crate::generator::{self, Meters};
use crate::postgres::{Cluster, Database};
use crate::process::{self, Process};
use crate::script::{Collect, get, post, post_form};
use crate::sqlite;

/// A server that runs, with a registered client. Dropped, it is stopped and its data removed.
pub(crate) struct Jeton<'c> {
    // Dropped in this order: nobody uses the database and the directory any more.
    process: Process,
    database: Option<Database<'c>>,
    data: TempDir,
    store: Store<'c>,
    api: Api,
    /// The client's `Authorization` header, a line.
    client: String,
}

/// Where the server keeps its data, and whether it may validate from memory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Store<'c> {
    Sqlite,
    Postgres(&'c Cluster),
    PostgresSingleNode(&'c Cluster),
}

/// Names the binary to measure; without it it is the one that cargo has built for this benchmark.
const BINARY: &str = "JETON_BENCH_SERVER";

impl<'c> Jeton<'c> {
    pub(crate) fn start(store: Store<'c>, cores: Option<&str>) -> anyhow::Result<Self> {
        Self::start_with(store, cores, &[])
    }

    /// As [`Jeton::start`], with variables of its environment.
    pub(crate) fn start_with(
        store: Store<'c>,
        cores: Option<&str>,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let data = data_directory()?;
        let database = match store {
            Store::Sqlite => None,
            Store::Postgres(cluster) | Store::PostgresSingleNode(cluster) => Some(cluster.create_database()?),
        };
        let (process, address) = serve(store, database.as_ref(), data.path(), cores, environment)?;
        let admin_key = fs::read_to_string(data.path().join("admin.key"))?.trim().to_owned();
        let api = Api { address, admin_key };
        let client = api.register_client()?;
        Ok(Self { process, database, data, store, api, client })
    }

    /// The same server on the same data, with nothing in memory and with these settings.
    pub(crate) fn restart(&mut self, cores: Option<&str>, settings: &[(&str, &str)]) -> anyhow::Result<()> {
        self.stop()?;
        self.start_again(cores, settings)
    }

    /// Ends the server; its data stay.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        self.process.stop()
    }

    /// After [`Self::stop`].
    pub(crate) fn start_again(&mut self, cores: Option<&str>, settings: &[(&str, &str)]) -> anyhow::Result<()> {
        (self.process, self.api.address) =
            serve(self.store, self.database.as_ref(), self.data.path(), cores, settings)?;
        Ok(())
    }

    /// Another node on the same database.
    pub(crate) fn join(&self) -> anyhow::Result<Node> {
        let data = data_directory()?;
        let key = fs::read_to_string(self.data.path().join("master.key"))?;
        let settings = [("JETON__KEYS__MASTER", key.trim())];
        let (process, address) = serve(self.store, self.database.as_ref(), data.path(), None, &settings)?;
        Ok(Node { process, address, _data: data })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.api.address
    }

    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    pub(crate) fn meters(&self) -> Meters {
        let database = self.database.as_ref().and_then(Database::meter);
        Meters { server: Some(Meter::Process(self.process.id())), database }
    }

    /// Runs statements on the server's database, behind its back: the first text on SQLite, the second on Postgres.
    pub(crate) fn run_sql(&self, [sqlite, postgres]: [&str; 2]) -> anyhow::Result<()> {
        match &self.database {
            Some(database) => database.execute(postgres),
            None => sqlite::execute(&self.data.path().join("jeton.db"), sqlite),
        }
    }

    pub(crate) fn database(&self) -> Option<&Database<'c>> {
        self.database.as_ref()
    }

    /// The memory that the server has now.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// The most memory that the server has had so far.
    pub(crate) fn peak_bytes(&self) -> anyhow::Result<u64> {
        self.status_bytes("VmHWM:")
    }

    fn status_bytes(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("the kernel tells the memory")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    pub(crate) fn issue_request(&self) -> Vec<u8> {
        let form = [("grant_type", "client_credentials"), ("scope", "orders:read")];
        post_form("/oauth20/token", &self.client, &form)
    }

    /// Issues tokens, `at_once` on as many connections.
    pub(crate) fn issue(&self, count: usize, at_once: usize) -> anyhow::Result<Vec<String>> {
        self.collect(&vec![self.issue_request(); at_once], count)
    }

    /// Makes tokens that end at different moments of the year to come, on as many connections as there are weeks in it.
    pub(crate) fn make_spread(&self, count: usize) -> anyhow::Result<Vec<String>> {
        let request = |week: u32| {
            let body = json!({"policy": "managed", "name": "sample", "lifetime": format!("{}d", week * 7)});
            post("/admin/v1/tokens", &self.api.bearer(), "application/json", &body.to_string())
        };
        self.collect(&(1..=52).map(request).collect::<Vec<_>>(), count)
    }

    fn collect(&self, requests: &[Vec<u8>], count: usize) -> anyhow::Result<Vec<String>> {
        let room = count.div_ceil(requests.len());
        let scripts = requests.iter().map(|request| Collect::new(request, room)).collect();
        let done = generator::exhaust(self.address(), scripts)?;
        Ok(done.into_iter().flat_map(|script| script.tokens).collect())
    }

    pub(crate) fn introspect_requests(&self, tokens: &[String]) -> Arc<[Vec<u8>]> {
        let request = |token: &String| post_form("/oauth20/introspect", &self.client, &[("token", token)]);
        tokens.iter().map(request).collect()
    }

    pub(crate) fn revoke_requests(&self, tokens: &[String]) -> Vec<Vec<u8>> {
        let request = |token: &String| post_form("/oauth20/revoke", &self.client, &[("token", token)]);
        tokens.iter().map(request).collect()
    }

    /// Requests that present the token themselves.
    pub(crate) fn bearer_requests(path: &str, tokens: &[String]) -> Arc<[Vec<u8>]> {
        tokens.iter().map(|token| get(path, &format!("authorization: Bearer {token}\r\n"))).collect()
    }

    /// How long the body of the answer to `request` is.
    pub(crate) fn body_bytes(&self, request: &[u8]) -> anyhow::Result<usize> {
        Ok(call(self.address(), request, 200)?.len())
    }
}

/// A further node. Dropped, it is stopped.
pub(crate) struct Node {
    process: Process,
    pub(crate) address: SocketAddr,
    _data: TempDir,
}

impl Node {
    pub(crate) fn meter(&self) -> Meter {
        Meter::Process(self.process.id())
    }
}

/// Starts the binary and waits until it is ready.
fn serve(
    store: Store<'_>,
    database: Option<&Database<'_>>,
    data: &Path,
    cores: Option<&str>,
    settings: &[(&str, &str)],
) -> anyhow::Result<(Process, SocketAddr)> {
    let mut command = process::command(binary(), cores);
    // Away from the directory that may hold a configuration file.
    command.arg("serve").current_dir(data).stdout(Stdio::null()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if is_configuration(&name) {
            command.env_remove(name);
        }
    }
    command.env("JETON__DATA_DIR", data).env("JETON__LOG__FORMAT", "json");
    command.env("JETON__HTTP__LISTEN", "127.0.0.1:0").env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0");
    if let Some(database) = database {
        command.env("DATABASE_URL", database.url());
    }
    if matches!(store, Store::PostgresSingleNode(_)) {
        command.env("JETON__VALIDATION__SINGLE_NODE", "true");
    }
    command.envs(settings.iter().copied());
    let mut process = Process::start(&mut command)?;
    let stderr = process.child().stderr.take().context("standard error is piped")?;
    let address = until_ready(stderr)?;
    Ok((process, address))
}

/// The binary that is measured.
pub(crate) fn binary() -> OsString {
    std::env::var_os(BINARY).unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_jeton")))
}

/// In the build directory: on a disk, as an operator's data directory is, where `/tmp` may be memory.
pub(crate) fn data_directory() -> std::io::Result<TempDir> {
    tempfile::Builder::new().prefix("load-").tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

fn is_configuration(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("JETON_") || ["DATABASE_URL", "PORT", "RUST_LOG"].contains(&&*name)
}

/// Reads the log up to the line that tells the address; passes on what comes later, if it is a warning.
fn until_ready(stderr: ChildStderr) -> anyhow::Result<SocketAddr> {
    let mut lines = BufReader::new(stderr).lines();
    let mut seen = Vec::new();
    for line in lines.by_ref() {
        let line = line?;
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if event["message"] == "ready" {
            let address = event["public"].as_str().context("the server does not tell its address")?.parse()?;
            std::thread::spawn(move || pass_on_warnings(lines.map_while(Result::ok)));
            return Ok(address);
        }
        seen.push(line);
    }
    bail!("the server ended before it was ready:\n{}", seen.join("\n"))
}

fn pass_on_warnings(lines: impl Iterator<Item = String>) {
    let serious = lines.filter(|line| ["\"WARN\"", "\"ERROR\""].iter().any(|level| line.contains(level)));
    serious.for_each(|line| eprintln!("the server says: {line}"));
}

//! A throw-away Postgres cluster: made, started on a free loopback port, and gone with this value.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

use crate::{Result, command};

use super::{Installation, reaper::Reaper};

/// Whether what is committed survives a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// For tests: nothing outlives the cluster anyway.
    Fast,
    /// For benchmarks: as an operator would run it.
    Durable,
}

pub(crate) struct Cluster {
    url: String,
    _reaper: Reaper,
}

impl Cluster {
    pub(crate) fn start(installation: &Installation, durability: Durability) -> Result<Self> {
        // Directly in /tmp: the path of a Unix socket may have about 100 bytes.
        let directory = command::capture(installation.user().command("mktemp")?.args(["-d", "/tmp/jeton-pg-XXXXXX"]))?;
        let data = format!("{directory}/data");
        let log = format!("{directory}/log");

        let mut stop = installation.command("pg_ctl")?;
        stop.args(["stop", "-D", &data, "-m", "immediate"]);
        let reaper = Reaper::watch(Path::new(&directory), &stop)?;

        let mut initdb = installation.command("initdb")?;
        initdb.args(["-D", &data, "-U", "jeton", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
        command::capture(&mut initdb)?;

        let mut attempt = 1;
        loop {
            let port = free_port()?;
            let mut start = installation.command("pg_ctl")?;
            start.args(["start", "-w", "-D", &data, "-l", &log, "-o", &options(port, &directory, durability)]);
            match command::capture(&mut start) {
                Ok(_) => {
                    let url = format!("postgres://jeton@{}:{port}/postgres", Ipv4Addr::LOCALHOST);
                    return Ok(Self { url, _reaper: reaper });
                }
                Err(_) if attempt < START_ATTEMPTS => attempt += 1,
                Err(error) => return Err(format!("{error}\nits log:\n{}", log_end(&log)).into()),
            }
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// Another process may take the port between our looking and Postgres's binding it.
const START_ATTEMPTS: u32 = 3;

/// Enough for every test to hold two pools at once.
const MAX_CONNECTIONS: u32 = 300;

/// How much of the server's log is shown if it does not start.
const LOG_LINES: usize = 20;

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn options(port: u16, directory: &str, durability: Durability) -> String {
    let mut options = format!(
        "-c listen_addresses={} -c port={port} -c unix_socket_directories={directory} -c max_connections={MAX_CONNECTIONS}",
        Ipv4Addr::LOCALHOST
    );
    if durability == Durability::Fast {
        options.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
    }
    options
}

fn log_end(path: &str) -> String {
    let log = fs::read_to_string(path).unwrap_or_else(|error| format!("{path}: {error}"));
    last_lines(&log, LOG_LINES).to_owned()
}

fn last_lines(text: &str, count: usize) -> &str {
    let text = text.trim_end();
    let start = text.rmatch_indices('\n').nth(count - 1).map_or(0, |(newline, _)| newline + 1);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fast_cluster_gives_durability_up() {
        let fast = options(5000, "/tmp/x", Durability::Fast);
        let durable = options(5000, "/tmp/x", Durability::Durable);
        assert!(fast.starts_with(&durable));
        assert!(fast.contains("fsync=off"));
        assert!(!durable.contains("off"));
        assert!(durable.contains("listen_addresses=127.0.0.1 -c port=5000 "));
    }

    #[test]
    fn the_end_of_a_log_is_cut_at_a_line() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a\nb\n", 5), "a\nb");
        assert_eq!(last_lines("", 5), "");
    }
}

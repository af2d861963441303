//! Keeps server and generator on cores of their own, where `taskset` is there and the machine has two.
//!
//! Without it they wake each other up across cores in ever changing ways, and the CPU time per request varies more
//! than what is to be measured.

use std::fs;
use std::process::{Command, Stdio};

/// One half of the cores for whoever is measured, the other for whoever asks.
#[derive(Debug, Clone)]
pub(crate) struct Cores {
    pub server: String,
    pub generator: String,
    all: String,
}

/// While this value lives, this process keeps to the generator's cores.
#[derive(Debug)]
pub(crate) struct Apart<'a>(&'a Cores);

impl Cores {
    /// `None` where processes can't be kept apart.
    pub(crate) fn split() -> Option<Self> {
        let allowed = allowed()?;
        let (server, generator) = allowed.split_at(allowed.len() / 2);
        let cores = Self { server: list(server), generator: list(generator), all: list(&allowed) };
        (!server.is_empty() && keep_to(&cores.all)).then_some(cores)
    }

    pub(crate) fn apart(&self) -> Apart<'_> {
        keep_to(&self.generator);
        Apart(self)
    }
}

impl Drop for Apart<'_> {
    fn drop(&mut self) {
        keep_to(&self.0.all);
    }
}

/// Every thread of this process, and whatever it starts from now on.
fn keep_to(cores: &str) -> bool {
    let pid = std::process::id().to_string();
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", cores, &pid]);
    taskset.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    taskset.status().is_ok_and(|status| status.success())
}

fn allowed() -> Option<Vec<u32>> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let ranges = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?.trim();
    let mut cores = Vec::new();
    for range in ranges.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        cores.extend(first..=last);
    }
    Some(cores)
}

fn list(cores: &[u32]) -> String {
    cores.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

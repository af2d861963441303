//! CPU time of processes, from the scheduler's own nanoseconds (`/proc/<pid>/task/<tid>/schedstat`).
//!
//! The sums in `/proc/<pid>/stat` are in ticks of 10 ms: with one process for each database connection the rounding
//! would be a part of what is measured. A thread that ends between two readings takes its share with it; the
//! threads that serve do not end. Where there is no such file nothing is measured.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// Whose CPU time is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meter {
    /// One process.
    Process(u32),
    /// A process and its children, as Postgres has them.
    Family(u32),
}

/// Nanoseconds by thread at one moment.
#[derive(Debug)]
pub(crate) struct Reading(HashMap<u32, u64>);

impl Meter {
    /// `None` where the kernel does not tell.
    pub(crate) fn read(self) -> Option<Reading> {
        let mut threads = HashMap::new();
        match self {
            Self::Process(pid) => read_process(pid, &mut threads)?,
            Self::Family(parent) => {
                read_process(parent, &mut threads)?;
                for child in children(parent)? {
                    // One that has just ended does not count, as above.
                    let _ended = read_process(child, &mut threads);
                }
            }
        }
        Some(Reading(threads))
    }
}

impl Reading {
    /// What was used since an earlier reading.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let used = self.0.iter().map(|(thread, now)| now - earlier.0.get(thread).copied().unwrap_or(0).min(*now));
        Duration::from_nanos(used.sum())
    }
}

fn read_process(pid: u32, threads: &mut HashMap<u32, u64>) -> Option<()> {
    for entry in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let thread = entry.file_name().to_str()?.parse().ok()?;
        let Ok(text) = fs::read_to_string(entry.path().join("schedstat")) else {
            continue;
        };
        threads.insert(thread, text.split(' ').next()?.parse().ok()?);
    }
    (!threads.is_empty()).then_some(())
}

fn children(parent: u32) -> Option<Vec<u32>> {
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Some(processes.filter(|pid| parent_of(*pid) == Some(parent)).collect())
}

pub(crate) fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in parentheses and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

pub(crate) fn name_of(pid: u32) -> Option<String> {
    Some(fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned())
}

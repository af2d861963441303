//! The machine that the numbers were found on.

use std::fs;
use std::process::{Command, Stdio};

use crate::cores::Cores;
use crate::options::Options;
use crate::postgres::Cluster;

/// A Markdown list.
pub(crate) fn list(options: &Options, cores: Option<&Cores>, cluster: Option<&Cluster>) -> String {
    let pinning = match cores {
        Some(cores) => format!(
            "where nothing but the server works, it has cores {} and the generator cores {}; where a database works, all \
             share all cores",
            cores.server, cores.generator
        ),
        None => "all share all cores".to_owned(),
    };
    let facts = [
        ("jeton", env!("CARGO_PKG_VERSION").to_owned()),
        ("CPU", format!("{} cores, {}", core_count(), cpu_model())),
        ("kernel", said("uname", &["-sr"])),
        ("compiler", said("rustc", &["--version"])),
        ("database", cluster.map_or("SQLite only".to_owned(), |cluster| cluster.description().to_owned())),
        ("rounds", format!("{} of {} s each", options.rounds(), options.measure().as_secs())),
        ("cores", pinning),
        ("load average before", load_average()),
    ];
    facts.iter().map(|(name, fact)| format!("- {name}: {fact}\n")).collect()
}

pub(crate) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|text| !text.is_empty()).unwrap_or("unknown").to_owned()
}

fn core_count() -> usize {
    std::thread::available_parallelism().map_or(0, std::num::NonZero::get)
}

fn cpu_model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| said("uname", &["-m"]), |(_, model)| model.trim().to_owned())
}

/// What a program prints, or that it is not known.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "unknown".to_owned() } else { text }
}

//! `xtask mutants`: proves the fault suite. The server is built with each wrong order of its revocation protocol, and the faults that
//! are to find it must do so; the right order passes the same.

use std::{env, ffi::OsString};

use crate::{
    Result, command,
    faketime::Faketime,
    postgres::{Durability, Server},
    workspace,
};

/// The tests of `tests/faults/cluster/mutants.rs`: of the right order, and of each wrong one.
const TESTS: [&str; 9] = [
    "right_order",
    "ack_before_apply",
    "lease_from_receipt",
    "cache_before_lease",
    "unfenced_fill",
    "unconditional_join",
    "membership_before_commit",
    "fast_path_on_retry",
    "numbers_not_in_commit_order",
];
const MODULE: &str = "faults::cluster::mutants";
const CFG: &str = "--cfg jeton_mutants";

/// Runs those that are named, else all. Returns cargo's exit status.
pub(crate) fn run(names: &[OsString]) -> Result<u8> {
    let filters = filters(names)?;
    let faketime = Faketime::provision()?;
    let server = Server::start(Durability::Fast)?;
    let mut cargo = workspace::cargo();
    // A directory of its own: the flag is one of every crate's, and the builds without it stay as they are.
    cargo.env("CARGO_TARGET_DIR", workspace::target().join("mutants"));
    cargo.env("RUSTFLAGS", env::var("RUSTFLAGS").map_or_else(|_| CFG.to_owned(), |flags| format!("{flags} {CFG}")));
    cargo.args(["test", "--test", "it", "--", "--include-ignored", "--nocapture", "--test-threads=1", "--exact"]);
    cargo.args(filters);
    server.describe_to(&mut cargo);
    faketime.describe_to(&mut cargo);
    command::status(&mut cargo)
}

/// The whole names of the tests: cargo takes a filter that nothing fits for a success.
fn filters(names: &[OsString]) -> Result<Vec<String>> {
    let named = |name: &OsString| {
        let name = name.to_string_lossy().replace('-', "_");
        let known = TESTS.into_iter().find(|test| *test == name);
        known.ok_or_else(|| format!("there is no mutant {name}: {}", TESTS.join(", ")))
    };
    let tests = names.iter().map(named).collect::<std::result::Result<Vec<_>, _>>()?;
    let tests = if tests.is_empty() { TESTS.to_vec() } else { tests };
    Ok(tests.into_iter().map(|test| format!("{MODULE}::{test}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_is_named_as_it_is_written_and_an_unknown_one_is_an_error() {
        let one = filters(&["ack-before-apply".into()]).unwrap();
        assert_eq!(one, ["faults::cluster::mutants::ack_before_apply"]);
        assert_eq!(filters(&[]).unwrap().len(), TESTS.len());
        assert!(filters(&["ack-after-apply".into()]).is_err());
    }

    #[test]
    fn all_that_are_tested_are_run() {
        let file = workspace::root().join("tests/faults/cluster/mutants.rs");
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            TESTS.iter().all(|test| text.contains(&format!("    {test}: ")) || text.contains(&format!("fn {test}(")))
        );
        assert_eq!(text.matches("by Fault::").count() + 1, TESTS.len());
    }
}

//! `xtask check`: what is judged without running the product.

use crate::{Result, command, step, workspace};

/// Warnings are denied behind `--` (clippy) and for rustdoc alone: in `RUSTFLAGS` they would rebuild every dependency.
const STEPS: [(&str, &[&str]); 3] = [
    ("fmt", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    ("doc", &["doc", "--workspace", "--no-deps"]),
];

/// Stops at the first step that fails and returns its exit status.
pub(crate) fn run() -> Result<u8> {
    for (name, arguments) in STEPS {
        let mut cargo = workspace::cargo();
        cargo.args(arguments).env("RUSTDOCFLAGS", "-D warnings");
        let code = step::timed(name, || command::status(&mut cargo))?;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

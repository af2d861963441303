//! Names a step on the terminal and tells how long it took.

use std::time::Instant;

use crate::Result;

#[expect(clippy::disallowed_methods, reason = "no product behaviour depends on how long a build step takes")]
pub(crate) fn timed(name: &str, step: impl FnOnce() -> Result<u8>) -> Result<u8> {
    println!("==> {name}");
    let started = Instant::now();
    let code = step()?;
    let seconds = started.elapsed().as_secs_f64();
    match code {
        0 => println!("<== {name}: ok after {seconds:.1} s"),
        code => println!("<== {name}: exit status {code} after {seconds:.1} s"),
    }
    Ok(code)
}

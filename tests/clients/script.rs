//! A library's script, run to its end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::parties::Parties;
use crate::support::process::Jeton;

/// Far longer than any script takes: only one that hangs is stopped by it.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Runs a script of this directory. A script that works closes with the line `ok` and its name.
pub async fn run(name: &str, interpreter: &mut Command, extension: &str, jeton: &Jeton) {
    let parties = serde_json::to_vec(&Parties::register(jeton).await).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name).with_extension(extension);
    interpreter.arg(path).kill_on_drop(true);
    interpreter.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = interpreter.spawn().unwrap_or_else(|error| panic!("{interpreter:?} can't be run: {error}"));
    // A script that ended before it has read all of them says why itself.
    let _read = process.stdin.take().unwrap().write_all(&parties).await;
    let output = timeout(TIMEOUT, process.wait_with_output()).await.expect("the script hangs").unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && out.lines().last() == Some(&format!("ok {name}")),
        "{name}: {}\n{out}\n{err}\nThe service has logged:\n{}",
        output.status,
        jeton.log()
    );
}

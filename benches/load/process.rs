//! Processes that are started here end here: when the value is dropped, and, where `setpriv` is there, when this
//! process is killed.

use std::ffi::OsStr;
use std::process::{Child, Command, Stdio};

#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> std::io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Its id; that of the program itself, because what stands before it is replaced by it.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.id().to_string()]).status()?;
        anyhow::ensure!(asked.success() && self.0.wait()?.success(), "the process did not end as it was asked to");
        Ok(())
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A program that keeps to `cores`, if they are given.
pub(crate) fn command(program: impl AsRef<OsStr>, cores: Option<&str>) -> Command {
    let mut words: Vec<&OsStr> = Vec::new();
    if ends_with_parent() {
        words.extend(["setpriv", "--pdeathsig", "KILL", "--"].map(OsStr::new));
    }
    if let Some(cores) = cores {
        words.extend(["taskset", "--cpu-list", cores].map(OsStr::new));
    }
    words.push(program.as_ref());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    command
}

fn ends_with_parent() -> bool {
    let mut setpriv = Command::new("setpriv");
    setpriv
        .args(["--pdeathsig", "KILL", "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    setpriv.status().is_ok_and(|status| status.success())
}

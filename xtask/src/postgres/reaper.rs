//! Stops a cluster and removes its directory, however xtask ends.
//!
//! A handler for SIGINT needs unsafe code, and none runs on SIGKILL. So a shell outside of the terminal's process group,
//! deaf to its signals, waits for the end of a pipe that only xtask holds open: it comes when the reaper is dropped (a
//! normal end, an error, a panic) and just as well when the kernel closes a killed xtask's files.
//!
//! Limits: if xtask alone is killed, and not its process group, the program it ran goes on without its server; and
//! whoever kills the shell too (a container that ends, a SIGKILL to everything) has to remove the directory.

use std::{
    ffi::OsStr,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

pub(super) struct Reaper(Child);

impl Reaper {
    /// Runs `stop`, whether or not it succeeds, and then removes the directory, once this value is gone.
    pub(super) fn watch(directory: &Path, stop: &Command) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args([OsStr::new("-c"), OsStr::new(SCRIPT), OsStr::new("jeton-pg-reaper"), directory.as_os_str()]);
        shell.arg(stop.get_program()).args(stop.get_args());
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.current_dir("/").process_group(0).spawn().map(Self)
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        // Closes the pipe first; a failure would mean that the shell is gone, and there is nobody left to tell.
        drop(self.0.wait());
    }
}

const SCRIPT: &str = r#"
trap '' HUP INT TERM
directory=$1
shift
cat >/dev/null
"$@"
rm -rf -- "$directory"
"#;

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    #[test]
    fn dropping_it_stops_first_and_then_removes_the_directory() {
        let base = env::temp_dir().join(format!("jeton-reaper-{}", process::id()));
        let directory = base.join("cluster");
        fs::create_dir_all(&directory).unwrap();
        let mut stop = Command::new("/bin/sh");
        stop.args(["-c", r#"test -d "$0" && touch "$0/../stopped"; exit 1"#]).arg(&directory);

        let reaper = Reaper::watch(&directory, &stop).unwrap();
        assert!(directory.exists());
        drop(reaper);

        assert!(!directory.exists());
        assert!(base.join("stopped").exists());
        fs::remove_dir_all(base).unwrap();
    }
}

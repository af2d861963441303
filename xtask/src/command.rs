//! Runs other programs and turns what they answer into values or messages.

use std::{
    env,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
};

use crate::Result;

/// Runs a program on this terminal and returns its exit status as a shell would.
pub(crate) fn status(command: &mut Command) -> Result<u8> {
    let status = command.status().map_err(|error| cannot_run(command, &error))?;
    Ok(shell_code(status))
}

/// Names a program, runs it on this terminal and expects it to succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", line(command));
    match status(command.stdin(Stdio::null()))? {
        0 => Ok(()),
        code => Err(format!("`{}` ended with exit status {code}", line(command)).into()),
    }
}

/// Runs a program that should succeed in silence, and returns what it printed, trimmed.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot_run(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` ended with exit status {}: {}", line(command), shell_code(output.status), said.trim()).into())
}

/// The first file of that name in the directories of `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

fn shell_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(u8::MAX)
}

fn cannot_run(command: &Command, error: &std::io::Error) -> String {
    format!("cannot run `{}`: {error}", line(command))
}

fn line(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn an_exit_status_is_passed_on() {
        assert_eq!(status(&mut shell("exit 101")).unwrap(), 101);
    }

    #[test]
    fn a_signal_is_told_as_a_shell_tells_it() {
        assert_eq!(status(&mut shell("kill -TERM $$")).unwrap(), 143);
    }

    #[test]
    fn a_captured_failure_carries_what_the_program_said() {
        let error = capture(&mut shell("echo out; echo why >&2; exit 3")).unwrap_err().to_string();
        assert!(error.ends_with("exit status 3: why"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = capture(&mut Command::new("/nonexistent/program")).unwrap_err().to_string();
        assert!(error.starts_with("cannot run `/nonexistent/program`"), "{error}");
    }
}

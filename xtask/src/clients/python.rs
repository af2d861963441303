//! Python environments of their own, so that nothing is installed into the machine's Python.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, command, debian};

use super::Stamp;

/// The python that has the packages of `requirements.txt`, if there is such a file.
pub(crate) fn provision(manifests: &Path, home: &Path) -> Result<Option<PathBuf>> {
    let requirements = manifests.join("requirements.txt");
    if !requirements.is_file() {
        return Ok(None);
    }
    fs::create_dir_all(home)?;
    let stamp = Stamp::of(&[&requirements], home.join("python.stamp"))?;
    let environment = home.join("venv");
    let python = interpreter(&environment);
    // An environment dies with the Python that it was made from.
    if stamp.is_current() && command::capture(Command::new(&python).args(["-c", ""])).is_ok() {
        return Ok(Some(python));
    }
    let python = venv(&environment)?;
    command::run(pip_install(&python).arg("--requirement").arg(&requirements))?;
    stamp.write()?;
    Ok(Some(python))
}

/// Makes an empty environment, in place of one that is there, and returns its interpreter.
pub(crate) fn venv(directory: &Path) -> Result<PathBuf> {
    // Debian ships `venv` without the part that puts pip into it.
    if command::capture(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_err() {
        debian::install(&["python3", "python3-venv"])
            .map_err(|error| format!("python3 cannot make environments, and cannot be installed: {error}"))?;
    }
    command::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(directory))?;
    Ok(interpreter(directory))
}

pub(crate) fn pip_install(python: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin/python")
}

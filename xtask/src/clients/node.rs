//! Node packages, in a directory of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, command, debian};

use super::Stamp;

/// The `node_modules` that has the packages of `package.json`, if there is such a file.
pub(super) fn provision(manifests: &Path, home: &Path) -> Result<Option<PathBuf>> {
    let manifest = manifests.join("package.json");
    let lock = manifests.join("package-lock.json");
    if !manifest.is_file() {
        return Ok(None);
    }
    if command::on_path("node").is_none() || command::on_path("npm").is_none() {
        debian::install(&["nodejs", "npm"])
            .map_err(|error| format!("node or npm is missing, and cannot be installed: {error}"))?;
    }
    fs::create_dir_all(home)?;
    let modules = home.join("node_modules");
    let is_locked = lock.is_file();
    let sources: &[&Path] = if is_locked { &[&manifest, &lock] } else { &[&manifest] };
    let stamp = Stamp::of(sources, home.join("node.stamp"))?;
    if stamp.is_current() && modules.is_dir() {
        return Ok(Some(modules));
    }
    for source in sources {
        fs::copy(source, home.join(source.file_name().unwrap_or_default()))?;
    }
    let mut npm = npm(home);
    match is_locked {
        true => npm.arg("ci"),
        false => npm.args(["install", "--no-package-lock"]),
    };
    command::run(&mut npm)?;
    stamp.write()?;
    Ok(Some(modules))
}

pub(crate) fn npm(directory: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(directory).args(["--no-audit", "--no-fund", "--no-update-notifier"]);
    npm
}

pub(crate) fn node() -> Command {
    Command::new("node")
}

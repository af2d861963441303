//! Installs Debian packages, as root or through a sudo that asks for no password.

use std::{ffi::OsStr, path::Path, process::Command};

use crate::{Result, command, os_user};

/// While this file exists, installing a Postgres server makes no cluster of its own that would start at every boot.
const NO_MAIN_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/jeton-xtask.conf";

/// While this file says so, installing a server does not start it.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs packages without their recommendations. An error says why it cannot.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    command::run(apt_get()?.args(["-qq", "update"]))?;
    command::run(apt_get()?.args(["-qq", "-y", "install", "--no-install-recommends"]).args(packages))
}

/// Installs the server's programs only: the setting that says so is there for just that long.
pub(crate) fn install_postgres() -> Result<()> {
    let script = r#"mkdir -p "${0%/*}" && echo "create_main_cluster = false" >"$0""#;
    // Asked first, so that nothing is written on a machine that is not Debian's.
    apt_get()?;
    command::run(as_root("/bin/sh")?.args(["-c", script, NO_MAIN_CLUSTER]))?;
    let installed = install(&["postgresql"]);
    command::run(as_root("rm")?.args(["-f", NO_MAIN_CLUSTER]))?;
    installed
}

/// Installs servers that only tests are to start. A policy that the machine has already is left as it is.
pub(crate) fn install_stopped(packages: &[&str]) -> Result<()> {
    if Path::new(POLICY).exists() {
        return install(packages);
    }
    let script = r#"printf '#!/bin/sh\nexit 101\n' >"$0" && chmod 0755 "$0""#;
    apt_get()?;
    command::run(as_root("/bin/sh")?.args(["-c", script, POLICY]))?;
    let installed = install(packages);
    command::run(as_root("rm")?.args(["-f", POLICY]))?;
    installed
}

fn apt_get() -> Result<Command> {
    let program = command::on_path("apt-get").ok_or("there is no apt-get")?;
    let mut command = as_root("env")?;
    command.arg("DEBIAN_FRONTEND=noninteractive").arg(program);
    Ok(command)
}

fn as_root(program: impl AsRef<OsStr>) -> Result<Command> {
    if os_user::is_root()? {
        return Ok(Command::new(program));
    }
    command::capture(Command::new("sudo").args(["-n", "true"])).map_err(|error| format!("not root, and {error}"))?;
    let mut sudo = Command::new("sudo");
    sudo.arg("-n").arg(program);
    Ok(sudo)
}

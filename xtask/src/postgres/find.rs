//! Where Postgres programs may be on a machine, best place first.

use std::{
    cmp::Reverse,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::command;

use super::provision;

/// What a throw-away cluster needs. A client-only installation has none of them.
pub(super) const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

pub(super) fn is_complete(bin: &Path) -> bool {
    PROGRAMS.iter().all(|program| bin.join(program).is_file())
}

/// Complete directories: the caller's choice by `PATH`, then Debian's, then Homebrew's, then what xtask fetched before.
pub(super) fn candidates() -> Vec<PathBuf> {
    let mut bins = Vec::new();
    bins.extend(command::capture(Command::new("pg_config").arg("--bindir")).map(PathBuf::from));
    bins.extend(command::on_path("pg_ctl").as_deref().and_then(Path::parent).map(Path::to_path_buf));
    bins.extend(newest_first(entries("/usr/lib/postgresql", "")));
    bins.extend(newest_first(entries("/opt/homebrew/opt", "postgresql")));
    bins.extend(newest_first(entries("/usr/local/opt", "postgresql")));
    bins.extend(provision::fetched_bins());
    bins.retain(|bin| is_complete(bin));
    bins.dedup();
    bins
}

fn entries(directory: &str, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| file_name(path).starts_with(prefix)).collect()
}

fn newest_first(mut installations: Vec<PathBuf>) -> impl Iterator<Item = PathBuf> {
    installations.sort_by_cached_key(|path| Reverse(version(&file_name(path))));
    installations.into_iter().map(|path| path.join("bin"))
}

/// `15` is `[15]`, `9.6` is `[9, 6]`, `postgresql@17` is `[17]`, and a name without a version is older than any.
fn version(name: &str) -> Vec<u32> {
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.split('.').map_while(|number| number.parse().ok()).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_every_naming_scheme() {
        assert_eq!(version("15"), [15]);
        assert_eq!(version("9.6"), [9, 6]);
        assert_eq!(version("postgresql@17"), [17]);
        assert_eq!(version("postgresql"), [0_u32; 0]);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let paths = ["/p/9.6", "/p/15", "/p/9.10", "/p/17"].map(PathBuf::from);
        let bins: Vec<_> = newest_first(paths.to_vec()).collect();
        assert_eq!(bins, ["/p/17/bin", "/p/15/bin", "/p/9.10/bin", "/p/9.6/bin"].map(PathBuf::from));
    }

    #[test]
    fn an_unversioned_name_comes_last() {
        let paths = ["/o/postgresql", "/o/postgresql@14"].map(PathBuf::from);
        let bins: Vec<_> = newest_first(paths.to_vec()).collect();
        assert_eq!(bins, ["/o/postgresql@14/bin", "/o/postgresql/bin"].map(PathBuf::from));
    }

    #[test]
    fn a_directory_that_does_not_exist_has_no_candidates() {
        assert!(entries("/nonexistent", "").is_empty());
        assert!(!is_complete(Path::new("/nonexistent")));
    }
}

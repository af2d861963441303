//! The data directory, the disk below it, and what the operating system allows.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::Finding;
use crate::config::Config;

const MIB: u64 = 1 << 20;
/// SQLite's log alone may grow to this in a burst.
const LITTLE_SPACE: u64 = 64 * MIB;
const SOME_SPACE: u64 = 1024 * MIB;
/// Descriptors beside those of connections: files, the log, the runtime.
const OTHER_DESCRIPTORS: u64 = 64;
/// Of the management listener.
const MANAGEMENT_CONNECTIONS: u64 = 256;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![data_directory(&config.data_dir)];
    findings.extend(disk(&config.data_dir));
    findings.push(descriptors(config));
    findings
}

fn data_directory(path: &Path) -> Finding {
    const CHECK: &str = "data directory";
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return to_be_made(path),
        Err(error) => {
            return Finding::error(CHECK, format!("{shown}: {error}"), "let the user of the service reach it");
        }
    };
    if !metadata.is_dir() {
        return Finding::error(CHECK, format!("{shown} is no directory"), "set data_dir to a directory");
    }
    if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let advice = "give it to the user that the service runs as, or run doctor as that user";
        return Finding::error(CHECK, format!("{shown} can't be written by this user"), advice);
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let found = format!("{shown} has mode {mode:04o}: others can look into it");
        return Finding::warning(CHECK, found, format!("chmod 0700 {shown}"));
    }
    let user = rustix::process::geteuid().as_raw();
    if user == 0 && metadata.uid() != 0 {
        let found =
            format!("{shown} belongs to user {}, and doctor runs as root, which may do everything", metadata.uid());
        return Finding::warning(CHECK, found, "run doctor as the user of the service to see what that one may");
    }
    Finding::ok(CHECK, format!("{shown}, writable, mode {mode:04o}"))
}

fn to_be_made(path: &Path) -> Finding {
    const CHECK: &str = "data directory";
    let there = path.ancestors().skip(1).find(|parent| parent.as_os_str().is_empty() || parent.exists());
    let parent = there.filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if access(parent, Access::WRITE_OK | Access::EXEC_OK).is_ok() {
        return Finding::ok(CHECK, format!("{} is made at the first start", path.display()));
    }
    let found = format!("{} is not there, and can't be made in {}", path.display(), parent.display());
    Finding::error(CHECK, found, "make it for the user of the service, with mode 0700")
}

fn disk(path: &Path) -> Option<Finding> {
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let found = statvfs(there).ok()?;
    Some(judge_disk(there, found.f_bavail.saturating_mul(found.f_frsize)))
}

fn judge_disk(path: &Path, free: u64) -> Finding {
    const CHECK: &str = "disk";
    let found = format!("{} MiB are free in {}", free / MIB, path.display());
    let advice = "make room: without it nothing can be issued or revoked";
    match free {
        ..LITTLE_SPACE => Finding::error(CHECK, found, advice),
        LITTLE_SPACE..SOME_SPACE => Finding::warning(CHECK, found, advice),
        _ => Finding::ok(CHECK, found),
    }
}

fn descriptors(config: &Config) -> Finding {
    match rlimit::Resource::NOFILE.get_hard() {
        Ok(most) => judge_descriptors(config, most),
        Err(error) => Finding::warning("file descriptors", error.to_string(), "look at `ulimit -Hn`"),
    }
}

fn judge_descriptors(config: &Config, most: u64) -> Finding {
    const CHECK: &str = "file descriptors";
    let connections = u64::from(config.http.max_connections) + u64::from(config.database.connections);
    let needed = connections + MANAGEMENT_CONNECTIONS + OTHER_DESCRIPTORS;
    if most < needed {
        let found = format!("at most {most}; with all connections open {needed} are needed");
        return Finding::warning(
            CHECK,
            found,
            "raise the hard limit (LimitNOFILE of systemd), or lower http.max_connections",
        );
    }
    Finding::ok(CHECK, format!("{needed} needed, {most} allowed"))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn little_room_is_an_error_and_some_room_a_warning() {
        for (mib, verdict) in [(10, Verdict::Error), (100, Verdict::Warning), (2000, Verdict::Ok)] {
            assert_eq!(judge_disk(Path::new("/"), mib * MIB).verdict, verdict, "{mib}");
        }
    }

    #[test]
    fn each_connection_needs_a_descriptor() {
        let config = Config::default();
        assert_eq!(judge_descriptors(&config, 1024).verdict, Verdict::Warning);
        assert_eq!(judge_descriptors(&config, 65_536).verdict, Verdict::Ok);
    }

    #[test]
    fn a_directory_is_private_or_can_be_made() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        assert_eq!(data_directory(&path).verdict, Verdict::Ok);
        assert!(!path.exists(), "it is not made here");
        crate::server::ensure_directory(&path).unwrap();
        assert_eq!(data_directory(&path).verdict, Verdict::Ok);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let finding = data_directory(&path);
        assert_eq!(finding.verdict, Verdict::Warning);
        assert!(finding.advice.unwrap().starts_with("chmod 0700 "));
        fs::write(path.join("file"), "").unwrap();
        assert_eq!(data_directory(&path.join("file")).verdict, Verdict::Error);
        assert_eq!(data_directory(&path.join("file/x")).verdict, Verdict::Error);
    }
}

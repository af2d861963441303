//! The library that gives a process a wall clock of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Result, debian};

pub(crate) struct Faketime {
    library: PathBuf,
}

impl Faketime {
    /// Finds it where Debian has it, else installs it.
    pub(crate) fn provision() -> Result<Self> {
        if let Some(library) = find() {
            return Ok(Self { library });
        }
        debian::install(&["libfaketime"])
            .map_err(|error| format!("libfaketime is missing, and cannot be installed: {error}"))?;
        let library = find().ok_or("libfaketime was installed, and is not where it belongs")?;
        Ok(Self { library })
    }

    /// Tells a child process, through its environment, where it is.
    pub(crate) fn describe_to(&self, child: &mut Command) {
        child.env("JETON_TEST_FAKETIME", &self.library);
    }
}

/// `/usr/lib/<architecture>/faketime/`
fn find() -> Option<PathBuf> {
    let architectures = fs::read_dir(Path::new("/usr/lib")).ok()?.filter_map(std::result::Result::ok);
    let mut libraries = architectures.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    libraries.find(|library| library.exists())
}

//! The data directory and the secrets in it: mode 0700 and 0600, written once, never overwritten.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::domain::entropy::Entropy;
use crate::domain::keys::MasterKey;

pub(crate) const MASTER_KEY: &str = "master.key";

/// Makes the directory, for its owner only.
///
/// # Errors
/// The file system's.
pub fn ensure_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// The generated master key of this directory, if it is there.
///
/// # Errors
/// The file system's, or [`ErrorKind::InvalidData`] for a file that is not a key.
pub(crate) fn find_master_key(directory: &Path) -> std::io::Result<Option<MasterKey>> {
    master_key(directory, None)
}

/// The generated master key of this directory. Makes it where there is none and `generate` is given.
///
/// # Errors
/// The file system's, or [`ErrorKind::InvalidData`] for a file that is not a key.
pub(super) fn master_key(directory: &Path, generate: Option<&Entropy>) -> std::io::Result<Option<MasterKey>> {
    let path = directory.join(MASTER_KEY);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let key = MasterKey::parse(&text);
            key.map(Some).map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let Some(entropy) = generate else {
                return Ok(None);
            };
            let key = MasterKey::generate(entropy);
            write_secret(&path, key.to_hex().expose_secret())?;
            Ok(Some(key))
        }
        Err(error) => Err(error),
    }
}

/// Writes a secret to a new file that only its owner can read, and makes sure that it is on disk.
///
/// # Errors
/// The file system's; [`ErrorKind::AlreadyExists`] instead of overwriting.
pub(super) fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(secret.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_master_key_is_made_once_and_for_its_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        ensure_directory(&directory).unwrap();
        let first = master_key(&directory, Some(&Entropy::system())).unwrap().unwrap();
        let second = master_key(&directory, Some(&Entropy::system())).unwrap().unwrap();
        assert_eq!(first.to_hex().expose_secret(), second.to_hex().expose_secret());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&directory), 0o700);
            assert_eq!(mode(&directory.join(MASTER_KEY)), 0o600);
        }
    }

    #[test]
    fn a_damaged_key_file_is_an_error_and_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(MASTER_KEY), "half a k").unwrap();
        assert_eq!(master_key(directory.path(), Some(&Entropy::system())).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(fs::read_to_string(directory.path().join(MASTER_KEY)).unwrap(), "half a k");
    }
}

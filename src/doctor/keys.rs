//! The master key: that it is there, that nobody else can read it, and that the database knows it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Finding, SecretFiles};
use crate::config::Config;
use crate::domain::keys::{KeyRing, KeyVersion, Keys, MasterKey};
use crate::server::MASTER_KEY;

/// What the configuration and the data directory say of the keys.
pub(super) fn files(config: &Config, secrets: &SecretFiles) -> Vec<Finding> {
    let generated = config.data_dir.join(MASTER_KEY);
    let mut paths: Vec<PathBuf> = secrets.keys.clone();
    if config.keys.master.is_empty() && generated.exists() {
        paths.push(generated);
    }
    paths.sort();
    paths.dedup();
    paths.iter().map(|path| secret_file(path)).collect()
}

fn secret_file(path: &Path) -> Finding {
    const CHECK: &str = "key file";
    let shown = path.display();
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) => return Finding::error(CHECK, format!("{shown}: {error}"), "let the service read it"),
    };
    let found = format!("{shown} has mode {mode:04o}");
    match mode {
        mode if mode & 0o007 != 0 => Finding::error(
            CHECK,
            format!("{found}: everybody can reach the master key"),
            format!("chmod 0600 {shown}, and change the key if others may have read it"),
        ),
        mode if mode & 0o020 != 0 => Finding::error(
            CHECK,
            format!("{found}: its group can replace the master key"),
            format!("chmod 0600 {shown}"),
        ),
        _ => Finding::ok(CHECK, found),
    }
}

/// The keys that the service would work with. `None`: there are none yet.
pub(super) fn ring(config: &Config) -> anyhow::Result<Option<KeyRing>> {
    let current = if config.keys.master.is_empty() {
        crate::server::find_master_key(&config.data_dir)?
    } else {
        Some(MasterKey::parse(&config.keys.master)?)
    };
    let previous = match config.keys.previous.as_str() {
        "" => None,
        text => Some(MasterKey::parse(text)?),
    };
    Ok(current.map(|current| KeyRing::new(&current, previous.as_ref())))
}

/// Whether the database was set up under one of these keys.
pub(super) fn judge(ring: &anyhow::Result<Option<KeyRing>>, known: &[KeyVersion]) -> Finding {
    const CHECK: &str = "master key";
    let ring = match ring {
        Err(error) => {
            let advice = "give the key as 64 hexadecimal digits, the same on all nodes (JETON__KEYS__MASTER_FILE)";
            return Finding::error(CHECK, format!("{error:#}"), advice);
        }
        Ok(None) if known.is_empty() => return Finding::ok(CHECK, "none yet: one is made at the first start"),
        Ok(None) => {
            let advice = "give it the key of the other nodes, or the one from the backup (JETON__KEYS__MASTER_FILE)";
            return Finding::error(CHECK, "the database was set up with a key, and here is none", advice);
        }
        Ok(Some(ring)) => ring,
    };
    if known.is_empty() {
        return Finding::ok(CHECK, "it is there; the database knows none yet");
    }
    if !ring.live().any(|keys| known.contains(&keys.version())) {
        let advice = "every token would look forged: give it the key of the other nodes (JETON__KEYS__MASTER_FILE)";
        return Finding::error(CHECK, "the database was set up under another key", advice);
    }
    let live = ring.live().map(Keys::version).filter(|version| known.contains(version)).count();
    Finding::ok(CHECK, format!("it is the one of the database ({live} of its {} keys are accepted)", known.len()))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::domain::entropy::Entropy;

    #[test]
    fn only_the_owner_of_a_key_file_reaches_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert_eq!(secret_file(&path).verdict, Verdict::Error);
        fs::write(&path, "x").unwrap();
        for (mode, verdict) in [
            (0o600, Verdict::Ok),
            (0o400, Verdict::Ok),
            (0o440, Verdict::Ok),
            (0o644, Verdict::Error),
            (0o660, Verdict::Error),
            (0o602, Verdict::Error),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(secret_file(&path).verdict, verdict, "{mode:04o}");
        }
    }

    #[test]
    fn a_key_that_the_database_does_not_know_is_an_error() {
        let ring = |seed: &MasterKey| Ok(Some(KeyRing::new(seed, None)));
        let (one, two) = (MasterKey::generate(&Entropy::system()), MasterKey::generate(&Entropy::system()));
        let known = [KeyRing::new(&one, None).current().version()];
        assert_eq!(judge(&ring(&one), &known).verdict, Verdict::Ok);
        assert_eq!(judge(&ring(&two), &known).verdict, Verdict::Error);
        assert_eq!(judge(&Ok(Some(KeyRing::new(&two, Some(&one)))), &known).verdict, Verdict::Ok);
        assert_eq!(judge(&Ok(None), &known).verdict, Verdict::Error);
        assert_eq!(judge(&Ok(None), &[]).verdict, Verdict::Ok);
        assert_eq!(judge(&Err(anyhow::anyhow!("no key")), &[]).verdict, Verdict::Error);
    }
}

//! What an operator sees on the first start: where the key is, the link into the console, and three commands that work as
//! pasted. The link is printed again at each start until somebody has set a password.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jeton_guard::{Outcome, Validator as _};

use super::files;
use crate::config::Config;
use crate::service::Service;

const ADMIN_KEY: &str = "admin.key";

/// The key before it is known that the store accepted it.
const PENDING_KEY: &str = "admin.key.new";

/// What to print at this start: after the first one the welcome, and the link into the console as long as nobody can sign
/// in there.
///
/// # Errors
/// The store's, or the file system's.
pub async fn announce(config: &Config, service: &Service) -> anyhow::Result<Option<String>> {
    let key = set_up(config, service).await?;
    let issuer = config.issuer();
    let link = service.first_password_link().await.context("the link into the console can't be made")?;
    let link = link.map(|code| setup_text(&issuer, code.expose_secret()));
    Ok(match (key, link) {
        (Some(key), link) => Some(welcome(&issuer, &key, &link.unwrap_or_default())),
        (None, link) => link,
    })
}

/// Sets up an empty store, writes the administrator's key to its file, and returns where that is.
///
/// The key is on disk before the store knows it: whatever interrupts this, the next start either begins again or finds
/// the key.
///
/// # Errors
/// The store's, or the file system's.
async fn set_up(config: &Config, service: &Service) -> anyhow::Result<Option<PathBuf>> {
    let (path, pending) = (config.data_dir.join(ADMIN_KEY), config.data_dir.join(PENDING_KEY));
    if !service.store.is_empty().await.context("the store can't be read")? {
        return Ok(adopt(service, &pending, &path).await?.then_some(path));
    }
    if path.exists() {
        anyhow::bail!(
            "the store is empty, but {} is there from another one; move it away, then start again",
            path.display()
        );
    }
    remove_if_there(&pending)?;
    let bootstrap = service.prepare_first_run();
    files::write_secret(&pending, bootstrap.admin_key.expose_secret())
        .with_context(|| format!("{} can't be written", pending.display()))?;
    if !service.set_up(bootstrap).await.context("the first workspace can't be made")? {
        remove_if_there(&pending)?;
        return Ok(None);
    }
    std::fs::rename(&pending, &path).with_context(|| format!("{} can't be written", path.display()))?;
    Ok(Some(path))
}

/// After a first start that was interrupted: the pending key is the real one if the store accepts it.
async fn adopt(service: &Service, pending: &Path, path: &Path) -> anyhow::Result<bool> {
    let Ok(key) = std::fs::read_to_string(pending) else {
        return Ok(false);
    };
    let accepted = matches!(service.validate(key.trim()).await, Outcome::Active(_));
    if accepted && !path.exists() {
        std::fs::rename(pending, path).with_context(|| format!("{} can't be written", path.display()))?;
        return Ok(true);
    }
    remove_if_there(pending)?;
    Ok(false)
}

fn remove_if_there(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be removed", path.display()))
        }
        _ => Ok(()),
    }
}

fn setup_text(issuer: &str, code: &str) -> String {
    format!(
        "\n\
         Set the password of the first operator in the console (this link works once, for 15 minutes):\n\
         \n\
         {issuer}/console/setup?code={code}\n"
    )
}

fn welcome(issuer: &str, key: &Path, setup: &str) -> String {
    let key = key.display();
    format!(
        "\n\
         Jeton is set up. The API key of the user admin is in {key}; it is shown nowhere else.\n\
         {setup}\n\
         Mint an access token with it, validate the token, and delete it:\n\
         \n\
         TOKEN=$(curl -s {issuer}/oauth20/access-token -H \"api-key: $(cat {key})\" | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\
         curl -i {issuer}/oauth20/verify -H \"Authorization: Bearer $TOKEN\"\n\
         curl -i -X DELETE {issuer}/oauth20/access-token -H \"Authorization: Bearer $TOKEN\"\n"
    )
}

//! What an operator sees on the first start: where the key is, and three commands that work as pasted.

use std::path::Path;

use anyhow::Context as _;

use super::files;
use crate::config::Config;
use crate::service::Service;

const ADMIN_KEY: &str = "admin.key";

/// Sets up an empty store, writes the administrator's key to its file, and returns what to print.
///
/// # Errors
/// The store's, or the file system's; then nothing may be half done: the key is shown nowhere else.
pub async fn announce(config: &Config, service: &Service) -> anyhow::Result<Option<String>> {
    if !service.store.is_empty().await.context("the store can't be read")? {
        return Ok(None);
    }
    let path = config.data_dir.join(ADMIN_KEY);
    if path.exists() {
        anyhow::bail!(
            "the store is empty, but {} is there from another one; move it away, then start again",
            path.display()
        );
    }
    let Some(key) = service.bootstrap().await.context("the first workspace can't be made")? else {
        return Ok(None);
    };
    files::write_secret(&path, key.expose_secret())
        .with_context(|| format!("{} can't be written; empty the store and start again", path.display()))?;
    Ok(Some(welcome(&config.issuer(), &path)))
}

fn welcome(issuer: &str, key: &Path) -> String {
    let key = key.display();
    format!(
        "\n\
         Jeton is set up. The API key of the user admin is in {key}; it is shown nowhere else.\n\
         \n\
         Mint an access token with it, validate the token, and delete it:\n\
         \n\
         TOKEN=$(curl -s {issuer}/oauth20/access-token -H \"api-key: $(cat {key})\" | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\
         curl -i {issuer}/oauth20/verify -H \"Authorization: Bearer $TOKEN\"\n\
         curl -i -X DELETE {issuer}/oauth20/access-token -H \"Authorization: Bearer $TOKEN\"\n"
    )
}

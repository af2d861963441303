//! Signing in to the console, as a browser does.

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::runtime::Builder;

use crate::connection::Connection;
use crate::jeton::Jeton;
use crate::script::post_form;

const PASSWORD: &str = "correct horse battery";
/// What a browser says about a form of the page's own site.
pub(super) const OWN_SITE: &str = "sec-fetch-site: same-origin\r\n";

/// Makes an administrator, signs in, and returns the cookie as a header, a line.
pub(super) fn sign_in(jeton: &Jeton<'_>) -> anyhow::Result<String> {
    let user = json!({ "username": "console", "role": "admin", "password": PASSWORD });
    jeton.api().create("/admin/v1/users", &user)?;
    let form = [("username", "console"), ("password", PASSWORD)];
    let request = post_form("/console/sign-in", OWN_SITE, &form);
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut connection = Connection::open(jeton.address()).await?;
        let answer = connection.call(&request).await?;
        ensure!(answer.status == 303, "the sign-in was answered with {}", answer.status);
        let head = std::str::from_utf8(answer.head)?;
        let line = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).context("no cookie is set")?;
        Ok(format!("cookie: {}\r\n", line.split(';').next().unwrap_or_default()))
    })
}

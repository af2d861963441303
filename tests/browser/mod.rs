//! The console in a real browser: headless Chromium, driven over the WebDriver protocol.
//!
//! `cargo xtask test` finds or installs Chromium and its driver. What needs no browser is tested in `console/`.

mod accessibility;
mod driver;
mod hostile;
mod journeys;
mod screenshots;

use driver::Browser;
use jeton::domain::secret::Secret;

use crate::support::{TestDatabase, TestServer};

pub const PASSWORD: &str = "correct horse battery";

/// A server whose public URL is the one that the browser uses.
async fn server(database: TestDatabase) -> TestServer {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options =
        vec![("http.listen", format!("127.0.0.1:{port}")), ("public_url", format!("http://127.0.0.1:{port}"))];
    TestServer::start_with(database, options).await
}

/// Sets the first operator's password by the printed link.
async fn set_up(server: &TestServer, browser: &Browser) {
    let link: Secret<String> = server.service().first_password_link().await.unwrap().expect("nobody has a password");
    browser.open(&format!("{}/console/setup?code={}", server.url, link.expose_secret())).await;
    browser.fill("new-password", PASSWORD).await;
    browser.fill("new-password-again", PASSWORD).await;
    browser.press("form[action='/console/setup'] button").await;
    browser.is_at("done=welcome").await;
}

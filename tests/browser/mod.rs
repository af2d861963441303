//! The console in a real browser: headless Chromium, driven over the WebDriver protocol.
//!
//! `cargo xtask test` finds or installs Chromium and its driver. What needs no browser is tested in `console/`.

mod accessibility;
mod driver;
mod hostile;
mod journeys;
mod keyboard;
mod screenshots;
mod surroundings;
mod walk;

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

/// The path of the printed link that sets the first operator's password.
async fn first_link(server: &TestServer) -> String {
    let link: Secret<String> = server.service().first_password_link().await.unwrap().expect("nobody has a password");
    format!("/console/setup?code={}", link.expose_secret())
}

/// Sets the first operator's password by the printed link.
async fn set_up(server: &TestServer, browser: &Browser) {
    browser.open(&format!("{}{}", server.url, first_link(server).await)).await;
    browser.fill("new-password", PASSWORD).await;
    browser.fill("new-password-again", PASSWORD).await;
    browser.press("form[action='/console/setup'] button").await;
    browser.is_at("done=welcome").await;
}

/// Signs in as the first operator, whose password is set.
async fn sign_in(server: &TestServer, browser: &Browser) {
    browser.open(&format!("{}/console/sign-in", server.url)).await;
    browser.fill("username", "admin").await;
    browser.fill("password", PASSWORD).await;
    browser.press("form.card button").await;
    browser.is_at("/console/tokens").await;
}

//! A service that takes tokens of a Jeton server with the scope `orders:read`. It remembers what it was told of them, and refuses one
//! that was revoked three seconds later at the latest, also where the network to the server is cut. Reads JETON_URL, CLIENT_ID and
//! CLIENT_SECRET of a client that may introspect.

use std::env;

use axum::{Router, routing::get};
use jeton_guard::remote::{RemoteToken, RemoteValidator};
use jeton_guard::{Challenge, GuardLayer, Requirement, Valid};

async fn orders(Valid(token): Valid<RemoteToken>) -> String {
    format!("The orders of {}\n", token.sub.as_deref().unwrap_or_default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, client_id, secret) = (env::var("JETON_URL")?, env::var("CLIENT_ID")?, env::var("CLIENT_SECRET")?);
    let jeton = RemoteValidator::builder(url, client_id, secret).build()?;
    let guard = GuardLayer::new(jeton, Challenge::new("orders")).require(Requirement::none().scope("orders:read"));
    let listener = tokio::net::TcpListener::bind(env::var("LISTEN").as_deref().unwrap_or("127.0.0.1:3000")).await?;
    Ok(axum::serve(listener, Router::new().route("/orders", get(orders)).layer(guard)).await?)
}

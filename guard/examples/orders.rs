//! A service that takes tokens with the scope `orders:read`, and asks a Jeton server about each of them, so that a revoked one is
//! refused from the next request on. Reads JETON_URL, CLIENT_ID and CLIENT_SECRET of a client that may introspect.

use std::{env, pin::Pin, time::Duration};

use axum::{Router, routing::get};
use jeton_guard::{Challenge, GuardLayer, Introspection, Outcome, Requirement, Unavailable, Valid, Validator};

#[derive(Clone)]
struct Jeton {
    http: reqwest::Client,
    url: String,
    client: (String, String),
}

impl Jeton {
    async fn ask(self, body: String) -> Result<Introspection, Box<dyn std::error::Error>> {
        let request = self.http.post(self.url).basic_auth(self.client.0, Some(self.client.1));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        Ok(serde_json::from_slice(&request.send().await?.error_for_status()?.bytes().await?)?)
    }
}

impl Validator for Jeton {
    type Token = Introspection;
    type Future = Pin<Box<dyn Future<Output = Outcome<Introspection>> + Send>>;

    fn validate(&self, token: &str) -> Self::Future {
        // Of the characters that a token may have, these mean something else in a form.
        let token = token.replace('+', "%2B").replace('=', "%3D");
        let (jeton, body) = (self.clone(), format!("token={token}"));
        Box::pin(async move {
            let answer = jeton.ask(body).await.ok();
            answer.map_or(Outcome::Unavailable(Unavailable { retry_after_s: 1 }), Introspection::into_outcome)
        })
    }
}

async fn orders(Valid(token): Valid<Introspection>) -> String {
    format!("The orders of {}\n", token.sub.unwrap_or_default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
    let client = (env::var("CLIENT_ID")?, env::var("CLIENT_SECRET")?);
    let jeton = Jeton { http, url: env::var("JETON_URL")? + "/oauth20/introspect", client };
    let guard = GuardLayer::new(jeton, Challenge::new("orders")).require(Requirement::none().scope("orders:read"));
    let listener = tokio::net::TcpListener::bind(env::var("LISTEN").as_deref().unwrap_or("127.0.0.1:3000")).await?;
    Ok(axum::serve(listener, Router::new().route("/orders", get(orders)).layer(guard)).await?)
}

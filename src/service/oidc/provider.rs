//! Talks to the provider: its configuration, its keys, codes for tokens. Everything has a time limit and a size.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, Semaphore};
use url::Url;

use super::OidcSettings;
use super::metadata::Metadata;
use crate::domain::clock::Timestamp;
use crate::domain::secret::Secret;

/// A provider that people may sign in by. What it has said of itself is remembered.
pub struct Provider {
    settings: OidcSettings,
    http: reqwest::Client,
    known: Mutex<Known>,
    /// Whoever else has a code waits; a slow provider must not fill this process.
    conversations: Semaphore,
}

/// Why the provider is of no help.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderFailure {
    #[error("the sign-in provider can't be reached: {0}")]
    Unreachable(String),
    #[error("the sign-in provider gives an answer that can't be used: {0}")]
    Answer(String),
    /// RFC 6749 §5.2 `invalid_grant`: the code was used, is too old, or was given to somebody else.
    #[error("the sign-in provider does not take its code (any more)")]
    Code,
}

/// What was read of the provider, and when.
#[derive(Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Timestamp)>,
    keys: Option<Arc<[Jwk]>>,
    /// When keys were last read because none fitted.
    keys_missed_at: Option<Timestamp>,
    /// Nobody else waits for what has just failed.
    failed: Option<(ProviderFailure, Timestamp)>,
}

/// What a code was exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    id_token: Option<String>,
    access_token: Option<String>,
}

/// For each request; a sign-in takes two or three.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read: a set of keys with certificate chains fits in many times.
const MAX_BYTES: usize = 512 * 1024;
/// Configuration and keys are read again after this; keys also when none fits.
const KEPT: Duration = Duration::from_secs(3600);
/// How long a failure is told to those who come after.
const FAILED_FOR: Duration = Duration::from_secs(3);
/// Made-up key names must not make this process read the keys again and again.
const MISS_AGAIN_AFTER: Duration = Duration::from_secs(10);
const CONVERSATIONS: usize = 32;

impl Provider {
    /// # Errors
    /// When the machine has no usable TLS.
    pub fn new(settings: OidcSettings) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // The addresses are those of the document, and none that they send somebody to.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("jeton/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { settings, http, known: Mutex::default(), conversations: Semaphore::new(CONVERSATIONS) })
    }

    #[must_use]
    pub const fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// What the provider says of itself.
    ///
    /// # Errors
    /// [`ProviderFailure`].
    pub(super) async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, ProviderFailure> {
        let mut known = self.known.lock().await;
        if let Some((metadata, read_at)) = &known.metadata
            && now < read_at.plus(KEPT)
        {
            return Ok(Arc::clone(metadata));
        }
        known.still_failing(now)?;
        let read = self.read_metadata().await;
        let metadata = Arc::new(known.note(read, now)?);
        known.metadata = Some((Arc::clone(&metadata), now));
        known.keys = None;
        Ok(metadata)
    }

    async fn read_metadata(&self) -> Result<Metadata, ProviderFailure> {
        let issuer = &self.settings.issuer;
        let metadata: Metadata = self.json(self.http.get(Metadata::url(issuer))).await?;
        metadata.check(issuer)?;
        Ok(metadata)
    }

    /// The keys that the provider signs with now. `missed`: none of those that are known fits.
    pub(super) async fn keys(
        &self,
        metadata: &Metadata,
        missed: bool,
        now: Timestamp,
    ) -> Result<Arc<[Jwk]>, ProviderFailure> {
        let mut known = self.known.lock().await;
        if let Some(keys) = &known.keys {
            let again = missed && known.keys_missed_at.is_none_or(|at| now >= at.plus(MISS_AGAIN_AFTER));
            if !again {
                return Ok(Arc::clone(keys));
            }
            known.keys_missed_at = Some(now);
        }
        known.still_failing(now)?;
        let read = self.read_keys(&metadata.jwks_uri).await;
        let keys = known.note(read, now)?;
        known.keys = Some(Arc::clone(&keys));
        Ok(keys)
    }

    async fn read_keys(&self, url: &Url) -> Result<Arc<[Jwk]>, ProviderFailure> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = self.json(self.http.get(url.clone())).await?;
        // RFC 7517 §5: what is not understood is left out, the others count.
        Ok(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    /// Exchanges a code (OpenID Connect Core §3.1.3.1).
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        code: &Secret<String>,
        verifier: &str,
    ) -> Result<(String, Option<Secret<String>>), ProviderFailure> {
        let settings = &self.settings;
        let in_body = metadata.wants_secret_in_body();
        let mut request = self.http.post(metadata.token_endpoint.clone()).header(ACCEPT, "application/json");
        if let (Some(secret), false) = (&settings.client_secret, in_body) {
            request = request.header(AUTHORIZATION, basic(&settings.client_id, secret));
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let tokens: Tokens = self.json(request.body(exchange_form(settings, code, verifier, in_body))).await?;
        let id_token =
            tokens.id_token.ok_or_else(|| ProviderFailure::Answer("there is no ID token in it".to_owned()))?;
        Ok((id_token, tokens.access_token.map(Secret::new)))
    }

    /// What else the provider tells of a person (§5.3).
    pub(super) async fn user_info(
        &self,
        url: &Url,
        access_token: &Secret<String>,
    ) -> Result<Map<String, Value>, ProviderFailure> {
        let request = self.http.get(url.clone()).header(ACCEPT, "application/json");
        self.json(request.bearer_auth(access_token.expose_secret())).await
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ProviderFailure> {
        let permit = tokio::time::timeout(TIMEOUT, self.conversations.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(ProviderFailure::Unreachable("too many wait for it".to_owned()));
        };
        let response = request.send().await.map_err(|error| unreachable(&error))?;
        let (status, url) = (response.status(), response.url().clone());
        let body = read(response).await?;
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|error| ProviderFailure::Answer(format!("{}: {error}", without_query(&url))));
        }
        // RFC 6749 §5.2: only the code word, which is of a fixed set; the rest is for nobody's log.
        let error: Value = serde_json::from_slice(&body).unwrap_or_default();
        let word =
            error["error"].as_str().filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        match word {
            Some("invalid_grant") => Err(ProviderFailure::Code),
            _ if status.is_server_error() => {
                Err(ProviderFailure::Unreachable(format!("{} answers {status}", without_query(&url))))
            }
            word => {
                let word: String = word.unwrap_or_default().chars().take(60).collect();
                Err(ProviderFailure::Answer(format!("{} answers {status} {word}", without_query(&url))))
            }
        }
    }
}

impl Known {
    fn still_failing(&self, now: Timestamp) -> Result<(), ProviderFailure> {
        match &self.failed {
            Some((failure, at)) if now < at.plus(FAILED_FOR) => Err(failure.clone()),
            _ => Ok(()),
        }
    }

    fn note<T>(&mut self, read: Result<T, ProviderFailure>, now: Timestamp) -> Result<T, ProviderFailure> {
        self.failed = read.as_ref().err().map(|failure| (failure.clone(), now));
        read
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, ProviderFailure> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + part.len() > MAX_BYTES {
            return Err(ProviderFailure::Answer(format!("{} is too long", without_query(response.url()))));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn exchange_form(settings: &OidcSettings, code: &Secret<String>, verifier: &str, secret_in_body: bool) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code.expose_secret())
        .append_pair("redirect_uri", &settings.redirect_uri)
        .append_pair("code_verifier", verifier);
    // Who proves it otherwise must not say it twice.
    match &settings.client_secret {
        Some(secret) if secret_in_body => {
            form.append_pair("client_id", &settings.client_id).append_pair("client_secret", secret.expose_secret());
        }
        Some(_) => {}
        None => {
            form.append_pair("client_id", &settings.client_id);
        }
    }
    form.finish()
}

/// RFC 6749 §2.3.1: both are form-encoded before they are joined.
fn basic(client_id: &str, secret: &Secret<String>) -> HeaderValue {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encode(client_id), encode(secret.expose_secret())));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair.expose_secret())))
        .expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

fn without_query(url: &Url) -> &str {
    url.as_str().split('?').next().unwrap_or_default()
}

/// The innermost reason: the outer ones repeat the address.
fn unreachable(error: &reqwest::Error) -> ProviderFailure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let place = error.url().map(without_query).unwrap_or_default();
    ProviderFailure::Unreachable(format!("{place}: {cause}"))
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_id_and_secret_are_encoded_before_they_are_joined() {
        let value = basic("a:b", &Secret::new("p&ss wörd".to_owned()));
        let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(text).unwrap(), b"a%3Ab:p%26ss+w%C3%B6rd");
        assert!(value.is_sensitive());
    }
}

//! The two steps: to the provider, and back from it.

use super::account::{self, NoAccount};
use super::attempt::Attempt;
use super::id_token::{self, Claims, Expected, Refusal};
use super::metadata::Metadata;
use super::provider::{Provider, ProviderFailure};
use crate::domain::secret::Secret;
use crate::service::error::ApiFailure;
use crate::service::throttle::Throttled;
use crate::service::{RequestContext, Service};
use crate::store::StoreError;

/// Where to send a browser, and what it keeps meanwhile.
#[derive(Debug)]
pub struct Begun {
    pub url: String,
    pub cookie: Secret<String>,
}

/// What the provider has sent a browser back with.
#[derive(Debug, Default)]
pub struct Callback {
    pub code: Option<Secret<String>>,
    pub state: String,
    /// RFC 9207.
    pub issuer: Option<String>,
    /// RFC 6749 §4.1.2.1.
    pub error: Option<String>,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum OidcFailure {
    #[error("no provider is configured")]
    Off,
    /// The browser does not carry what it was given, or no longer, or comes back with something else.
    #[error("this sign-in was not begun in this browser, or too long ago")]
    NotBegun,
    /// The person, or the provider.
    #[error("the sign-in provider has refused")]
    Denied,
    #[error(transparent)]
    Provider(#[from] ProviderFailure),
    /// What the provider said is not believed.
    #[error("{0}")]
    NotBelieved(String),
    #[error("{0}")]
    NoAccount(NoAccount),
    #[error("too many attempts")]
    Throttled(Throttled),
    #[error(transparent)]
    Failed(#[from] ApiFailure),
}

impl From<StoreError> for OidcFailure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Service {
    /// The first step. `next`: the page that was asked for.
    ///
    /// # Errors
    /// [`OidcFailure::Off`], [`OidcFailure::Throttled`], or the provider's.
    pub async fn begin_oidc(&self, next: &str, context: &RequestContext) -> Result<Begun, OidcFailure> {
        let provider = self.oidc.as_ref().ok_or(OidcFailure::Off)?;
        let (settings, now) = (provider.settings(), self.clock.now());
        self.throttle.visit(context.client_ip, now).map_err(OidcFailure::Throttled)?;
        let metadata = provider.metadata(now).await?;
        let attempt = Attempt::begin(next, now, &self.entropy);
        let mut url = metadata.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &settings.client_id)
            .append_pair("redirect_uri", &settings.redirect_uri)
            .append_pair("scope", &settings.scopes.join(" "))
            .append_pair("state", attempt.state())
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        let cookie = attempt.seal(&settings.issuer, self.codec.keys(), &self.entropy);
        Ok(Begun { url: url.into(), cookie })
    }

    /// The second step: a session, and the page that was asked for.
    ///
    /// # Errors
    /// [`OidcFailure`].
    pub async fn finish_oidc(
        &self,
        callback: Callback,
        cookie: &str,
        user_agent: Option<String>,
        context: &RequestContext,
    ) -> Result<(Secret<String>, String), OidcFailure> {
        let provider = self.oidc.as_ref().ok_or(OidcFailure::Off)?;
        let (settings, now) = (provider.settings(), self.clock.now());
        let attempt = Attempt::open(cookie, &settings.issuer, now, self.codec.keys());
        let attempt = attempt.filter(|attempt| attempt.is_of(&callback.state)).ok_or(OidcFailure::NotBegun)?;
        self.throttle.visit(context.client_ip, now).map_err(OidcFailure::Throttled)?;
        let metadata = provider.metadata(now).await?;
        check_issuer(&metadata, callback.issuer.as_deref(), &settings.issuer)?;
        if let Some(error) = callback.error {
            // A word of RFC 6749 or of the provider; whatever it is, it is short and plain in the log.
            let word: String = error.chars().filter(char::is_ascii_graphic).take(60).collect();
            tracing::info!(request.id = context.request_id, error = word, "the sign-in provider has refused");
            return Err(OidcFailure::Denied);
        }
        let code = callback.code.ok_or(OidcFailure::NotBegun)?;
        let claims = self.identify(provider, &metadata, &attempt, &code).await?;
        let user = self.account_of(settings, &claims, context).await.inspect_err(|failure| {
            tracing::info!(request.id = context.request_id, client.address = ?context.client_ip, %failure, "sign-in refused");
        })?;
        Ok((self.open_session(user, "oidc", user_agent, context).await?, attempt.next))
    }

    /// Who has come back with this code.
    async fn identify(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        attempt: &Attempt,
        code: &Secret<String>,
    ) -> Result<Claims, OidcFailure> {
        let (settings, now) = (provider.settings(), self.clock.now());
        let (id_token, access_token) = provider.exchange(metadata, code, &attempt.verifier).await?;
        let expected =
            Expected { issuer: &settings.issuer, client_id: &settings.client_id, nonce: &attempt.nonce, now };
        let keys = provider.keys(metadata, false, now).await?;
        let verified = match id_token::verify(&id_token, &keys, expected) {
            Err(Refusal::UnknownKey) => {
                id_token::verify(&id_token, &provider.keys(metadata, true, now).await?, expected)
            }
            verified => verified,
        };
        let not_believed = |refusal: Refusal| OidcFailure::NotBelieved(refusal.to_string());
        let mut claims = verified.map_err(not_believed)?;
        let missing = account::wanted(settings).into_iter().any(|name| !claims.has(name));
        if let (true, Some(url), Some(token)) = (missing, &metadata.userinfo_endpoint, access_token) {
            claims.add(provider.user_info(url, &token).await?).map_err(not_believed)?;
        }
        Ok(claims)
    }
}

/// RFC 9207 §2.4: an answer of another provider must not be taken to this one.
fn check_issuer(metadata: &Metadata, told: Option<&str>, issuer: &str) -> Result<(), OidcFailure> {
    match told {
        Some(told) if told == issuer => Ok(()),
        None if !metadata.authorization_response_iss_parameter_supported => Ok(()),
        _ => Err(OidcFailure::NotBelieved("the answer is of another provider, or does not say of which".to_owned())),
    }
}

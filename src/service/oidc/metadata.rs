//! What a provider says of itself (OpenID Connect Discovery §3), as far as signing in needs it.

use serde::Deserialize;
use url::Url;

use super::provider::ProviderFailure;

/// The document below an issuer.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub userinfo_endpoint: Option<Url>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Where the document is (§4.1).
    pub(super) fn url(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// §4.3: it must be about exactly the issuer that was asked for. Nothing may be less protected than the issuer itself.
    pub(super) fn check(&self, issuer: &str) -> Result<(), ProviderFailure> {
        if self.issuer != issuer {
            let message =
                format!("its configuration is about {:?}, and console.oidc.issuer is {issuer:?}", self.issuer);
            return Err(ProviderFailure::Answer(message));
        }
        let plain = issuer.starts_with("http://");
        let safe = |url: &Url| url.scheme() == "https" || (plain && url.scheme() == "http");
        match self.endpoints().find(|url| !safe(url)) {
            Some(url) => Err(ProviderFailure::Answer(format!("{url} is not https"))),
            None => Ok(()),
        }
    }

    fn endpoints(&self) -> impl Iterator<Item = &Url> {
        let always = [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        always.into_iter().chain(&self.userinfo_endpoint)
    }

    /// RFC 6749 §2.3.1: Basic is what every provider has, unless it says what else it wants.
    pub(super) fn wants_secret_in_body(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let has = |name: &str| methods.iter().any(|method| method == name);
        has("client_secret_post") && !has("client_secret_basic")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(issuer: &str, changed: &[(&str, serde_json::Value)]) -> Metadata {
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
        });
        for (name, value) in changed {
            document[*name] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn a_document_about_another_issuer_is_refused() {
        assert!(metadata("https://a.test", &[]).check("https://a.test").is_ok());
        for other in ["https://b.test", "https://a.test/", "http://a.test"] {
            assert!(metadata("https://a.test", &[]).check(other).is_err(), "{other}");
        }
        assert_eq!(Metadata::url("https://a.test/x/"), "https://a.test/x/.well-known/openid-configuration");
    }

    #[test]
    fn an_endpoint_without_tls_is_refused_where_the_issuer_has_it() {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            for url in ["http://a.test/x", "javascript:alert(1)", "file:///etc/passwd"] {
                assert!(
                    metadata("https://a.test", &[(name, json!(url))]).check("https://a.test").is_err(),
                    "{name} {url}"
                );
            }
        }
        assert!(metadata("http://127.0.0.1:1", &[]).check("http://127.0.0.1:1").is_ok());
    }

    #[test]
    fn the_secret_goes_into_the_body_only_where_the_head_is_not_read() {
        let wants = |methods| metadata("https://a.test", &[("token_endpoint_auth_methods_supported", methods)]);
        assert!(wants(json!(["client_secret_post"])).wants_secret_in_body());
        assert!(!wants(json!(["client_secret_post", "client_secret_basic"])).wants_secret_in_body());
        assert!(!metadata("https://a.test", &[]).wants_secret_in_body());
    }
}

//! Webhooks: where events are sent, how a delivery is signed (Standard Webhooks), and when a failed one is tried again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Serialize, Serializer};
use sha2::Sha256;
use url::Url;

use super::entropy::Entropy;
use super::secret::Secret;

/// The URL that events are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl(Url);

/// A text that is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is an https URL (http where the operator allows it) of at most {} visible ASCII characters, without user, password and fragment",
    WebhookUrl::MAX_CHARS
)]
pub struct NotAWebhookUrl;

impl WebhookUrl {
    pub const MAX_CHARS: usize = 500;

    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.0
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Without the query, which may hold a key of the receiver's.
    #[must_use]
    pub fn without_query(&self) -> String {
        let mut url = self.0.clone();
        url.set_query(None);
        url.into()
    }
}

impl FromStr for WebhookUrl {
    type Err = NotAWebhookUrl;

    fn from_str(text: &str) -> Result<Self, NotAWebhookUrl> {
        // The parser mends what is not plain; here, what is kept is what was given.
        if text.len() > Self::MAX_CHARS || !text.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'\\') {
            return Err(NotAWebhookUrl);
        }
        let url = Url::parse(text).ok().ok_or(NotAWebhookUrl)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let good = matches!(url.scheme(), "https" | "http") && url.has_host() && plain && url.port() != Some(0);
        // An address can be written in longer ways than the one that is kept.
        if good && url.as_str().len() <= Self::MAX_CHARS { Ok(Self(url)) } else { Err(NotAWebhookUrl) }
    }
}

impl Serialize for WebhookUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What deliveries are signed with. The receiver has it too.
#[derive(Clone, Debug)]
pub struct WebhookSecret(Secret<Vec<u8>>);

impl WebhookSecret {
    const PREFIX: &str = "whsec_";

    #[must_use]
    pub fn generate(entropy: &Entropy) -> Self {
        Self(Secret::new(entropy.secret::<32>().to_vec()))
    }

    #[must_use]
    pub const fn from_bytes(bytes: Secret<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// For sealing.
    #[must_use]
    pub const fn bytes(&self) -> &Secret<Vec<u8>> {
        &self.0
    }

    /// As the receiver takes it.
    #[must_use]
    pub fn text(&self) -> Secret<String> {
        Secret::new(format!("{}{}", Self::PREFIX, STANDARD.encode(self.0.expose_secret())))
    }

    /// `v1,` and HMAC-SHA256 over id, time of sending in seconds, and body.
    #[must_use]
    pub fn sign(&self, id: &str, sent_at: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{sent_at}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// How a webhook is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The last delivery was taken, or there was none yet.
    Well,
    /// Deliveries fail, and are tried again.
    Failing,
    /// Nothing is sent: an administrator has switched it off, or it has failed for too long.
    Off,
}

impl Condition {
    pub const ALL: [Self; 3] = [Self::Well, Self::Failing, Self::Off];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Failing => "failing",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The wait after the first failure; each further one doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// A receiver that is well again is found within this.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// How long to wait after this many failures in a row: half of it at least, the rest as chance has it, so that those who failed
/// together do not come back together.
#[must_use]
pub fn wait_after(failures: u32, chance: u8) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let whole = doubled.min(LONGEST_WAIT);
    whole / 2 + (whole / 2).mul_f64(f64::from(chance) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_or_http_with_a_host_and_no_credentials() {
        for good in ["https://hooks.acme.example/jeton?k=1", "http://10.0.0.1:8080/", "https://[2001:db8::1]/x"] {
            assert_eq!(good.parse::<WebhookUrl>().unwrap().as_str(), good);
        }
        assert_eq!("https://a.example/x?key=1".parse::<WebhookUrl>().unwrap().without_query(), "https://a.example/x");
        // Other ways to write an address are read as the address.
        assert_eq!("http://0x7f.1/".parse::<WebhookUrl>().unwrap().as_str(), "http://127.0.0.1/");
        let long = format!("https://a.example/{}", "x".repeat(500));
        for bad in [
            "",
            "hooks",
            "//a.example",
            "ftp://a.example/",
            "https://",
            "https://u@a.example/",
            "https://u:p@a.example/",
            "https://a.example/#f",
            "https://a.example/ ",
            "https://a.ex\\ample/",
            "https://caf\u{e9}.example/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://a.example:0/",
            "https://a.example/\r\nx",
            &long,
        ] {
            assert_eq!(bad.parse::<WebhookUrl>(), Err(NotAWebhookUrl), "{bad}");
        }
    }

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the Standard Webhooks specification's reference libraries.
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = WebhookSecret::from_bytes(Secret::new(secret));
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret.text().expose_secret(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert!(!format!("{secret:?}").contains("MfKQ"));
    }

    #[test]
    fn waits_grow_to_an_hour_and_are_spread() {
        assert_eq!((wait_after(1, 0), wait_after(1, 255)), (Duration::from_millis(2_500), Duration::from_secs(5)));
        assert_eq!(wait_after(2, 255), Duration::from_secs(10));
        assert_eq!(
            (wait_after(40, 0), wait_after(u32::MAX, 255)),
            (Duration::from_secs(1_800), Duration::from_secs(3_600))
        );
    }
}

//! Judges an ID token (OpenID Connect Core §3.1.3.7): whose it is, for whom, until when, and that nobody else made it.

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};

use crate::domain::clock::Timestamp;
use crate::domain::identity::Subject;

/// What must hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: Timestamp,
}

/// Who somebody is, and what else the provider says of them.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    pub subject: Subject,
    values: Map<String, Value>,
}

/// Why it is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Perhaps the provider has new keys.
    #[error("no key of the provider fits the ID token")]
    UnknownKey,
    #[error("the ID token {0}")]
    Bad(String),
}

/// Signatures that need the provider's private key. `none` and HMAC never count: for the latter the client secret would make
/// tokens of anybody.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// How far the clocks of both sides may be apart.
const SKEW_S: i64 = 60;
/// An ID token is made when it is fetched: an old one was made for somebody else's sign-in.
const MAX_AGE_S: i64 = 600;

impl Claims {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// Some providers write `true` as a text.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value == &Value::Bool(true) || value == "true")
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether a claim is this text, or a list that has it.
    pub(super) fn lists(&self, name: &str, wanted: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Array(values)) => values.iter().any(|value| value == wanted),
            Some(value) => value == wanted,
            None => false,
        }
    }

    /// Adds what the UserInfo endpoint tells of the same person (§5.3.4); what is signed stays.
    pub(super) fn add(&mut self, more: Map<String, Value>) -> Result<(), Refusal> {
        if more.get("sub").and_then(Value::as_str) != Some(self.subject.as_str()) {
            return Err(Refusal::Bad("and the UserInfo endpoint are about different people".to_owned()));
        }
        for (name, value) in more {
            self.values.entry(name).or_insert(value);
        }
        Ok(())
    }
}

/// # Errors
/// [`Refusal`].
pub(super) fn verify(token: &str, keys: &[Jwk], expected: Expected<'_>) -> Result<Claims, Refusal> {
    let bad = |message: &str| Refusal::Bad(message.to_owned());
    let header = jsonwebtoken::decode_header(token);
    let header = header.map_err(|error| Refusal::Bad(format!("can't be read: {error}")))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refusal::Bad(format!("is signed by {:?}, which does not prove who made it", header.alg)));
    }
    if header.crit.is_some() {
        return Err(bad("has critical extensions, and none is known here"));
    }
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[expected.issuer]);
    rules.set_audience(&[expected.client_id]);
    rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
    // By the injected clock, below.
    rules.validate_exp = false;
    let mut refusal = Refusal::UnknownKey;
    for key in keys.iter().filter(|key| fits(key, &header)) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        if key.family() != header.alg.family() {
            continue;
        }
        match jsonwebtoken::decode::<Map<String, Value>>(token, &key, &rules) {
            Ok(token) => return judge(token.claims, expected),
            // A key without a name may be any of them.
            Err(error) if header.kid.is_none() && is_signature(&error) => {}
            Err(error) => refusal = Refusal::Bad(format!("is refused: {error}")),
        }
    }
    Err(refusal)
}

fn is_signature(error: &jsonwebtoken::errors::Error) -> bool {
    matches!(error.kind(), jsonwebtoken::errors::ErrorKind::InvalidSignature)
}

/// Whether a key may have signed under this header (RFC 7517 §4).
fn fits(key: &Jwk, header: &Header) -> bool {
    let common = &key.common;
    let named = header.kid.is_none() || common.key_id == header.kid;
    let for_signatures = !matches!(common.public_key_use, Some(PublicKeyUse::Encryption));
    let algorithm = common.key_algorithm.is_none_or(|algorithm| algorithm.to_string() == format!("{:?}", header.alg));
    named && for_signatures && algorithm
}

/// What stands in a token that the provider has signed for this issuer and this client.
fn judge(values: Map<String, Value>, expected: Expected<'_>) -> Result<Claims, Refusal> {
    let bad = |message: &str| Err(Refusal::Bad(message.to_owned()));
    let text = |name: &str| values.get(name).and_then(Value::as_str);
    let seconds = |name: &str| values.get(name).and_then(|value| value.as_i64().or(float_seconds(value)));
    let now = expected.now.seconds();
    let Some(subject) = text("sub").and_then(|subject| subject.parse().ok()) else {
        return bad("has no sub that can be kept");
    };
    match (seconds("exp"), seconds("iat")) {
        (Some(exp), _) if exp.saturating_add(SKEW_S) <= now => return bad("has expired"),
        (Some(_), Some(iat)) if iat > now.saturating_add(SKEW_S) => return bad("comes from the future"),
        (Some(_), Some(iat)) if iat < now.saturating_sub(MAX_AGE_S) => return bad("is too old"),
        (Some(_), Some(_)) => {}
        _ => return bad("does not tell when it was made and when it ends"),
    }
    if seconds("nbf").is_some_and(|nbf| nbf > now.saturating_add(SKEW_S)) {
        return bad("is not valid yet");
    }
    if text("nonce") != Some(expected.nonce) {
        return bad("belongs to another sign-in: its nonce is not the one that was sent");
    }
    let audiences = values.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    let authorized = text("azp").map(|azp| azp == expected.client_id);
    if authorized == Some(false) || (audiences > 1 && authorized.is_none()) {
        return bad("was made for another client: its azp");
    }
    Ok(Claims { subject, values })
}

/// RFC 7519 §2: a NumericDate may have a fraction.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and a moment so far away is refused")]
fn float_seconds(value: &Value) -> Option<i64> {
    value.as_f64().map(|seconds| seconds.floor() as i64)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use jsonwebtoken::EncodingKey;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
    const EXPECTED: Expected<'_> = Expected { issuer: "https://id.test", client_id: "jeton", nonce: "n", now: NOW };

    struct Signer(EncodingKey);

    impl Signer {
        fn new() -> Self {
            let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
            let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
            // PKCS#8 is a wrapper of a fixed length around the RSAPrivateKey that is wanted here.
            let der = der.as_ref();
            Self(EncodingKey::from_rsa_der(&der[26..]))
        }

        fn jwk(&self, kid: Option<&str>) -> Jwk {
            let mut jwk = Jwk::from_encoding_key(&self.0, Algorithm::RS256).unwrap();
            jwk.common.key_id = kid.map(ToOwned::to_owned);
            jwk
        }

        fn sign(&self, header: &Header, changed: &[(&str, Value)]) -> String {
            let mut claims = json!({
                "iss": "https://id.test", "aud": "jeton", "sub": "ada", "nonce": "n",
                "iat": NOW.seconds(), "exp": NOW.seconds() + 300,
            });
            for (name, value) in changed {
                claims[*name] = value.clone();
            }
            claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            jsonwebtoken::encode(header, &claims, &self.0).unwrap()
        }
    }

    fn header(kid: Option<&str>) -> Header {
        Header { kid: kid.map(ToOwned::to_owned), ..Header::new(Algorithm::RS256) }
    }

    #[test]
    fn what_the_provider_says_of_this_sign_in_is_believed() {
        let signer = Signer::new();
        let keys = [signer.jwk(Some("one"))];
        let good = |changed: &[(&str, Value)]| verify(&signer.sign(&header(Some("one")), changed), &keys, EXPECTED);
        let claims =
            good(&[("email", json!("a@b")), ("email_verified", json!("true")), ("groups", json!(["x", "y"]))]).unwrap();
        assert_eq!((claims.subject.as_str(), claims.text("email")), ("ada", Some("a@b")));
        assert!(claims.is_true("email_verified") && claims.lists("groups", "y") && !claims.lists("groups", "z"));
        good(&[("aud", json!(["jeton"]))]).unwrap();
        good(&[("aud", json!(["jeton", "other"])), ("azp", json!("jeton"))]).unwrap();
        good(&[("exp", json!(NOW.seconds() - SKEW_S + 1))]).unwrap();
        good(&[("iat", json!(1_800_000_000.5))]).unwrap();
    }

    #[test]
    fn each_claim_that_does_not_hold_is_enough_to_refuse() {
        let signer = Signer::new();
        let keys = [signer.jwk(Some("one"))];
        for (name, value) in [
            ("iss", json!("https://evil.test")),
            ("iss", json!("https://id.test/")),
            ("iss", json!(null)),
            ("aud", json!("other")),
            ("aud", json!([])),
            ("aud", json!(["jeton", "other"])),
            ("aud", json!(null)),
            ("azp", json!("other")),
            ("sub", json!(null)),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("sub", json!("x".repeat(256))),
            ("exp", json!(NOW.seconds() - SKEW_S)),
            ("exp", json!(null)),
            ("exp", json!("soon")),
            ("iat", json!(NOW.seconds() + SKEW_S + 1)),
            ("iat", json!(NOW.seconds() - MAX_AGE_S - 1)),
            ("iat", json!(null)),
            ("nbf", json!(NOW.seconds() + SKEW_S + 1)),
            ("nonce", json!("another")),
            ("nonce", json!(null)),
        ] {
            let token = signer.sign(&header(Some("one")), &[(name, value.clone())]);
            assert!(matches!(verify(&token, &keys, EXPECTED), Err(Refusal::Bad(_))), "{name} = {value}");
        }
    }

    #[test]
    fn only_a_signature_of_the_providers_own_keys_counts() {
        let (signer, stranger) = (Signer::new(), Signer::new());
        let keys = [stranger.jwk(Some("two")), signer.jwk(Some("one"))];
        let token = |signer: &Signer, kid| signer.sign(&header(kid), &[]);
        verify(&token(&signer, Some("one")), &keys, EXPECTED).unwrap();
        verify(&token(&signer, None), &keys, EXPECTED).unwrap();
        let refused = |token: &str, keys: &[Jwk]| verify(token, keys, EXPECTED).unwrap_err();
        assert_eq!(refused(&token(&signer, Some("new")), &keys), Refusal::UnknownKey);
        assert_eq!(refused(&token(&signer, None), &keys[..1]), Refusal::UnknownKey);
        assert!(matches!(refused(&token(&stranger, Some("one")), &keys), Refusal::Bad(_)));
        let mut encryption = signer.jwk(Some("one"));
        encryption.common.public_key_use = Some(PublicKeyUse::Encryption);
        assert_eq!(refused(&token(&signer, Some("one")), &[encryption]), Refusal::UnknownKey);
        let whole = token(&signer, Some("one"));
        let parts: Vec<&str> = whole.split('.').collect();
        let forged = signer.sign(&header(Some("one")), &[("sub", json!("root"))]);
        let swapped = format!("{}.{}.{}", parts[0], forged.split('.').nth(1).unwrap(), parts[2]);
        assert!(matches!(refused(&swapped, &keys), Refusal::Bad(_)));
    }

    #[test]
    fn algorithms_that_need_no_private_key_never_count() {
        use base64::Engine as _;
        let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        let signer = Signer::new();
        let keys = [signer.jwk(Some("one"))];
        let signed = signer.sign(&header(Some("one")), &[]);
        let claims = signed.split('.').nth(1).unwrap();
        for alg in ["none", "None", "NONE", ""] {
            let token = format!("{}.{claims}.", encode(&json!({ "alg": alg, "kid": "one" })));
            assert!(verify(&token, &keys, EXPECTED).is_err(), "{alg}");
        }
        // The classic: the public key, which everybody knows, as the secret of an HMAC.
        let Some(modulus) = serde_json::to_value(&keys[0]).unwrap()["n"].as_str().map(ToOwned::to_owned) else {
            panic!("an RSA key has a modulus")
        };
        let hmac = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
        let body = json!({ "iss": "https://id.test", "aud": "jeton", "sub": "root", "nonce": "n", "iat": NOW.seconds(), "exp": NOW.seconds() + 300 });
        let token = jsonwebtoken::encode(&hmac, &body, &EncodingKey::from_secret(modulus.as_bytes())).unwrap();
        assert!(matches!(verify(&token, &keys, EXPECTED), Err(Refusal::Bad(_))));
        for nonsense in ["", ".", "..", "a.b.c", "\u{e9}", &"x.".repeat(10_000)] {
            assert!(verify(nonsense, &keys, EXPECTED).is_err());
        }
    }

    #[test]
    fn what_is_fetched_later_adds_and_never_replaces_and_is_about_the_same_person() {
        let signer = Signer::new();
        let token = signer.sign(&header(None), &[("email", json!("signed@b"))]);
        let mut claims = verify(&token, &[signer.jwk(None)], EXPECTED).unwrap();
        let more = |value: Value| value.as_object().unwrap().clone();
        claims.add(more(json!({ "sub": "ada", "email": "later@b", "groups": ["x"] }))).unwrap();
        assert_eq!(claims.text("email"), Some("signed@b"));
        assert!(claims.lists("groups", "x"));
        assert!(claims.add(more(json!({ "sub": "bob" }))).is_err());
        assert!(claims.add(more(json!({}))).is_err());
    }
}

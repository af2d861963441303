//! Owns the introspection response (RFC 7662 §2.2) as Jeton writes it and a caller reads it. The call itself is not made here.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::validator::{Inactive, Outcome, TokenView};

/// The state of a token. An inactive one is written as exactly `{"active":false}`, whatever its other fields hold.
///
/// Unknown fields are ignored when it is read, and absent ones are `None` or empty.
///
/// ```
/// use jeton_guard::{Introspection, TokenView};
///
/// let introspection: Introspection = serde_json::from_str(
///     r#"{"active": true, "scope": "orders:read orders:write", "workspace": "acme", "apis": ["orders"]}"#,
/// )?;
/// assert!(introspection.has_scope("orders:write"));
/// assert!(introspection.covers_api("orders"));
/// assert_eq!(introspection.workspace(), "acme");
///
/// let inactive = serde_json::to_string(&Introspection::inactive())?;
/// assert_eq!(inactive, r#"{"active":false}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Introspection {
    /// Whether the token is good now, and for this caller.
    pub active: bool,
    /// Its scopes, separated by spaces.
    pub scope: Option<String>,
    /// The client that it was issued to.
    pub client_id: Option<String>,
    /// The user name of its owner, if that is a user.
    pub username: Option<String>,
    /// `Bearer`, or `DPoP` for a token that is bound to a key (RFC 9449 §6).
    pub token_type: Option<String>,
    /// Its end, in seconds since 1970-01-01T00:00:00Z; absent if it has none.
    pub exp: Option<i64>,
    /// When it was issued, in seconds since 1970-01-01T00:00:00Z.
    pub iat: Option<i64>,
    /// Before when it is not good, in seconds since 1970-01-01T00:00:00Z.
    pub nbf: Option<i64>,
    /// The id of its owner.
    pub sub: Option<String>,
    /// The URIs of the resources that it is meant for. One string is read as a list of one.
    #[serde(default, deserialize_with = "one_or_many")]
    pub aud: Option<Vec<String>>,
    /// The issuer's URL.
    pub iss: Option<String>,
    /// The id of the token, which is no secret.
    pub jti: Option<String>,
    /// The workspace that it belongs to.
    pub workspace: Option<String>,
    /// The name that it was given.
    pub name: Option<String>,
    /// The policy that it was issued under.
    pub policy: Option<String>,
    /// The names of the APIs that it covers.
    #[serde(default)]
    pub apis: Vec<String>,
    /// The names of its plans.
    #[serde(default)]
    pub plans: Vec<String>,
    /// The name/value pairs that its workspace has attached.
    #[serde(default)]
    pub extra_fields: Map<String, Value>,
    /// What is left of it, in seconds; absent if it has no end.
    pub expires_in: Option<i64>,
    /// For how long the answer may be reused, in seconds.
    pub cache_max_age: Option<u32>,
    /// The revocation revision that the answer is current at.
    pub revision: Option<u64>,
    /// Of which history that revision is; only for a caller that follows the revocations.
    pub history: Option<String>,
    /// The keys of all revocations that end or change the token; only for a caller that follows the revocations.
    #[serde(default)]
    pub revocation_keys: Vec<String>,
    /// The limit of one of its plans is used up: when the next request may come, in seconds.
    pub retry_after: Option<u32>,
}

impl Introspection {
    /// The answer for a token that is unknown, no longer good, or not for this caller.
    pub fn inactive() -> Self {
        Self::default()
    }

    /// What a validator makes of the answer for a token that was presented as a bearer token.
    ///
    /// An inactive answer does not say why. A token of another type is refused too: presented as a bearer token, a token that
    /// is bound to a key lacks the proof of that key (RFC 9449 §7.2). So is one without a type, which is how Jeton shows a
    /// refresh token to its own client: that is no credential of a request.
    pub fn into_outcome(self) -> Outcome<Self> {
        let bearer = self.token_type.as_ref().is_some_and(|token_type| token_type.eq_ignore_ascii_case("Bearer"));
        if self.active && bearer { Outcome::Active(self) } else { Outcome::Inactive(Inactive::Unproven) }
    }
}

/// What is not active has and covers nothing.
impl TokenView for Introspection {
    fn has_scope(&self, scope: &str) -> bool {
        let scopes = self.scope.as_deref().unwrap_or_default();
        self.active && !scope.is_empty() && scopes.split(' ').any(|held| held == scope)
    }

    fn covers_api(&self, api: &str) -> bool {
        self.active && self.apis.iter().any(|covered| covered == api)
    }

    /// Empty if the answer names none.
    fn workspace(&self) -> &str {
        self.workspace.as_deref().unwrap_or_default()
    }
}

impl Serialize for Introspection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("active", &self.active)?;
        // An inactive token's details are none of the caller's business (RFC 7662 §2.2).
        if !self.active {
            return map.end();
        }
        some(&mut map, "scope", self.scope.as_ref())?;
        some(&mut map, "client_id", self.client_id.as_ref())?;
        some(&mut map, "username", self.username.as_ref())?;
        some(&mut map, "token_type", self.token_type.as_ref())?;
        some(&mut map, "exp", self.exp)?;
        some(&mut map, "iat", self.iat)?;
        some(&mut map, "nbf", self.nbf)?;
        some(&mut map, "sub", self.sub.as_ref())?;
        some(&mut map, "aud", self.aud.as_ref())?;
        some(&mut map, "iss", self.iss.as_ref())?;
        some(&mut map, "jti", self.jti.as_ref())?;
        some(&mut map, "workspace", self.workspace.as_ref())?;
        some(&mut map, "name", self.name.as_ref())?;
        some(&mut map, "policy", self.policy.as_ref())?;
        map.serialize_entry("apis", &self.apis)?;
        map.serialize_entry("plans", &self.plans)?;
        map.serialize_entry("extra_fields", &self.extra_fields)?;
        some(&mut map, "expires_in", self.expires_in)?;
        some(&mut map, "cache_max_age", self.cache_max_age)?;
        some(&mut map, "revision", self.revision)?;
        some(&mut map, "history", self.history.as_ref())?;
        if !self.revocation_keys.is_empty() {
            map.serialize_entry("revocation_keys", &self.revocation_keys)?;
        }
        some(&mut map, "retry_after", self.retry_after)?;
        map.end()
    }
}

fn some<M: SerializeMap, T: Serialize>(map: &mut M, name: &'static str, value: Option<T>) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(name, &value),
        None => Ok(()),
    }
}

/// RFC 7519 §4.1.3 lets a single audience stand without its list.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let aud = Option::<OneOrMany>::deserialize(deserializer)?;
    Ok(aud.map(|aud| match aud {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(json: Value) -> Introspection {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_example_of_rfc_7662_section_2_2_is_read() {
        let introspection = read(json!({
            "active": true,
            "client_id": "l238j323ds-23ij4",
            "username": "jdoe",
            "scope": "read write dolphin",
            "sub": "Z5O3upPC88QrAjx00dis",
            "aud": "https://protected.example.net/resource",
            "iss": "https://server.example.com/",
            "exp": 1_419_356_238,
            "iat": 1_419_350_238,
            "extension_field": "twenty-seven"
        }));
        assert_eq!(introspection.exp, Some(1_419_356_238));
        assert_eq!(introspection.aud, Some(vec!["https://protected.example.net/resource".to_owned()]));
        assert!(introspection.has_scope("dolphin"));
    }

    #[test]
    fn a_full_answer_is_written_as_it_was_read() {
        let full = json!({
            "active": true, "scope": "a b", "client_id": "c", "username": "u", "token_type": "Bearer", "exp": 3, "iat": 1,
            "nbf": 2, "sub": "s", "aud": ["x", "y"], "iss": "i", "jti": "j", "workspace": "w", "name": "n", "policy": "api",
            "apis": ["orders"], "plans": ["gold"], "extra_fields": {"team": {"id": [1, null]}}, "expires_in": 2,
            "cache_max_age": 1, "revision": 41, "history": "00000001", "revocation_keys": ["k"], "retry_after": 7
        });
        let written = serde_json::to_value(read(full.clone())).unwrap();
        assert_eq!(written, full);
    }

    #[test]
    fn an_active_answer_always_has_its_lists() {
        let written = serde_json::to_string(&read(json!({"active": true}))).unwrap();
        assert_eq!(written, r#"{"active":true,"apis":[],"plans":[],"extra_fields":{}}"#);
    }

    #[test]
    fn an_inactive_answer_writes_nothing_else() {
        let inactive = Introspection {
            username: Some("jdoe".to_owned()),
            apis: vec!["orders".to_owned()],
            ..Introspection::inactive()
        };
        let written = serde_json::to_string(&inactive).unwrap();
        assert_eq!(written, r#"{"active":false}"#);
    }

    #[test]
    fn an_answer_without_active_is_not_one() {
        assert!(serde_json::from_str::<Introspection>(r#"{"scope":"a"}"#).is_err());
    }

    #[test]
    fn an_audience_may_be_absent_null_one_or_many() {
        let aud = |aud: Value| read(json!({"active": true, "aud": aud})).aud;
        assert_eq!(read(json!({"active": true})).aud, None);
        assert_eq!(aud(Value::Null), None);
        assert_eq!(aud(json!("x")), Some(vec!["x".to_owned()]));
        assert_eq!(aud(json!(["x", "y"])), Some(vec!["x".to_owned(), "y".to_owned()]));
    }

    #[test]
    fn a_scope_is_matched_as_a_whole() {
        let introspection = read(json!({"active": true, "scope": "orders:read"}));
        assert!(introspection.has_scope("orders:read"));
        for scope in ["orders", "orders:", "read", "orders:read ", ""] {
            assert!(!introspection.has_scope(scope), "{scope:?}");
        }
    }

    #[test]
    fn what_is_inactive_covers_nothing() {
        let introspection = read(json!({"active": false, "scope": "a", "apis": ["orders"]}));
        assert!(!introspection.has_scope("a"));
        assert!(!introspection.covers_api("orders"));
    }

    #[test]
    fn an_active_bearer_token_is_accepted() {
        for token_type in ["Bearer", "bearer"] {
            let outcome = read(json!({"active": true, "token_type": token_type})).into_outcome();
            assert!(matches!(outcome, Outcome::Active(_)), "{token_type}");
        }
    }

    #[test]
    fn an_active_token_without_a_type_is_not_accepted_as_a_bearer() {
        let outcome = read(json!({"active": true})).into_outcome();
        assert!(matches!(outcome, Outcome::Inactive(Inactive::Unproven)));
    }

    #[test]
    fn an_inactive_answer_proves_nothing() {
        let outcome = Introspection::inactive().into_outcome();
        assert!(matches!(outcome, Outcome::Inactive(Inactive::Unproven)));
    }

    #[test]
    fn a_token_bound_to_a_key_is_not_accepted_as_a_bearer() {
        let outcome = read(json!({"active": true, "token_type": "DPoP"})).into_outcome();
        assert!(matches!(outcome, Outcome::Inactive(Inactive::Unproven)));
    }
}

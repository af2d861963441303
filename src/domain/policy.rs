//! Policies: the named sets of rules that grants are issued under. Data from the config file, never `if`s in the code.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::clock::Timestamp;
use super::lifetime::Lifetime;

/// One policy as the config file writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRules {
    /// What is handed out: "access" (one access token), "pair" (access and refresh token) or "key" (a long-lived key).
    pub credential: Credential,
    /// Shortest lifetime that may be asked for, inclusive.
    pub min_lifetime: Lifetime,
    /// Longest lifetime that may be asked for, inclusive; "never" = grants without an end, and no lifetime may be asked for.
    pub max_lifetime: End,
    /// Lifetime where none is asked for.
    pub default_lifetime: End,
    /// Lifetime of each access token; "grant" = as long as the grant.
    pub access_lifetime: AccessLifetime,
    /// What revoking one grant reaches: "grant" (itself and what it minted) or "owner" (all of the owner's under this policy).
    pub revoke: RevokeReach,
    /// Who may create grants: "self", "admin", "oauth".
    pub creation: Vec<Creator>,
    /// The policy of the sessions that GET /oauth20/access-token opens with a credential of this policy; "" = none.
    #[serde(default)]
    pub mints: String,
    /// What disabling or deleting a grant reaches: "all" (its tokens) or "refresh_only" (access tokens live on to their end).
    #[serde(default)]
    pub on_disable: OnDisable,
    /// Whether REST and the console may revoke, disable and delete grants; if not, the OAuth endpoints are the only way.
    #[serde(default = "yes")]
    pub rest_revoke: bool,
    /// Whether a request that carries an expired access token and its refresh token (X-Refresh-Token) is served and refreshed.
    #[serde(default)]
    pub refresh_on_any_endpoint: bool,
}

const fn yes() -> bool {
    true
}

/// What disabling or deleting a grant reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDisable {
    #[default]
    All,
    RefreshOnly,
}

/// What a grant hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    Access,
    Pair,
    Key,
}

/// A lifetime, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", untagged)]
pub enum End {
    After(Lifetime),
    Never(Never),
}

/// The word `never`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Never {
    Never,
}

/// How long an access token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", untagged)]
pub enum AccessLifetime {
    At(Lifetime),
    Grant(WholeGrant),
}

/// The word `grant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WholeGrant {
    Grant,
}

/// What revoking one grant reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevokeReach {
    Grant,
    Owner,
}

/// Who may create a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Creator {
    #[serde(rename = "self")]
    Owner,
    Admin,
    Oauth,
    Import,
}

/// Which rules a policy had: a fingerprint of its name and rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PolicyVersion(i64);

impl PolicyVersion {
    #[must_use]
    pub const fn new(value: i64) -> Self {
        Self(value)
    }

    #[must_use]
    pub const fn value(self) -> i64 {
        self.0
    }

    fn of(name: &str, rules: &PolicyRules) -> Self {
        let text = serde_json::to_vec(&(name, rules)).expect("rules are plain data");
        let digest: [u8; 32] = Sha256::digest(text).into();
        let (head, _) = digest.split_first_chunk().expect("32 bytes hold 8");
        Self(i64::from_be_bytes(*head))
    }
}

impl std::fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A policy with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub name: Arc<str>,
    pub rules: PolicyRules,
    pub version: PolicyVersion,
}

/// A lifetime outside the policy's bounds. The message names both bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeRefused {
    #[error("lifetime {asked} is outside what policy {policy} allows: from {min} to {max}, both inclusive")]
    OutOfBounds { policy: Arc<str>, asked: Lifetime, min: Lifetime, max: Lifetime },
    #[error("policy {policy} issues credentials without an end; lifetime can't be given")]
    NeverEnds { policy: Arc<str> },
}

impl Policy {
    #[must_use]
    pub fn new(name: &str, rules: PolicyRules) -> Self {
        Self { name: name.into(), version: PolicyVersion::of(name, &rules), rules }
    }

    /// The end of a grant that is issued now; `None` when it has none. Never clamps.
    ///
    /// # Errors
    /// [`LifetimeRefused`] naming the bounds.
    pub fn grant_end(&self, asked: Option<Lifetime>, now: Timestamp) -> Result<Option<Timestamp>, LifetimeRefused> {
        let policy = Arc::clone(&self.name);
        let lifetime = match (asked, self.rules.max_lifetime, self.rules.default_lifetime) {
            (Some(_), End::Never(_), _) => return Err(LifetimeRefused::NeverEnds { policy }),
            (Some(asked), End::After(max), _) => {
                let min = self.rules.min_lifetime;
                if asked < min || asked > max {
                    return Err(LifetimeRefused::OutOfBounds { policy, asked, min, max });
                }
                asked
            }
            (None, _, End::Never(_)) => return Ok(None),
            (None, _, End::After(default)) => default,
        };
        Ok(Some(now.plus(lifetime.as_duration())))
    }

    /// The end of an access token that is issued now under a grant that ends at `grant_end`.
    #[must_use]
    pub fn access_end(&self, grant_end: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        match self.rules.access_lifetime {
            AccessLifetime::Grant(_) => grant_end,
            AccessLifetime::At(lifetime) => {
                let own = now.plus(lifetime.as_duration());
                Some(grant_end.map_or(own, |end| end.min(own)))
            }
        }
    }

    #[must_use]
    pub fn may_be_created_by(&self, creator: Creator) -> bool {
        self.rules.creation.contains(&creator)
    }
}

/// All policies of this server.
#[derive(Clone, Debug, Default)]
pub struct Policies(BTreeMap<Arc<str>, Arc<Policy>>);

/// Rules that contradict each other or name a policy that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("policies.{policy}.{key}: {problem}")]
pub struct BadPolicy {
    pub policy: String,
    pub key: &'static str,
    pub problem: String,
}

impl Policies {
    /// # Errors
    /// The first [`BadPolicy`] found.
    pub fn new(rules: &BTreeMap<String, PolicyRules>) -> Result<Self, BadPolicy> {
        for (name, policy) in rules {
            check(name, policy, rules)?;
        }
        let policies = rules.iter().map(|(name, rules)| {
            let policy = Policy::new(name, rules.clone());
            (Arc::clone(&policy.name), Arc::new(policy))
        });
        Ok(Self(policies.collect()))
    }

    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Policy>> {
        self.0.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.0.values()
    }

    /// The longest that any credential with an end may live: how far ahead partitions must exist.
    #[must_use]
    pub fn horizon(&self) -> Lifetime {
        let ends = self.iter().flat_map(|policy| [policy.rules.max_lifetime, policy.rules.default_lifetime]);
        ends.filter_map(End::lifetime).max().unwrap_or(Lifetime::from_secs(0))
    }
}

impl End {
    #[must_use]
    pub const fn lifetime(self) -> Option<Lifetime> {
        match self {
            Self::After(lifetime) => Some(lifetime),
            Self::Never(_) => None,
        }
    }
}

fn check(name: &str, policy: &PolicyRules, all: &BTreeMap<String, PolicyRules>) -> Result<(), BadPolicy> {
    let bad = |key, problem: &str| Err(BadPolicy { policy: name.to_owned(), key, problem: problem.to_owned() });
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
        return bad("name", "a policy's name is 1 to 32 lower-case letters, digits, - or _");
    }
    match (policy.max_lifetime, policy.default_lifetime) {
        (End::After(max), _) if policy.min_lifetime > max => {
            return bad("min_lifetime", "is longer than max_lifetime");
        }
        (End::After(max), End::After(default)) if default < policy.min_lifetime || default > max => {
            return bad("default_lifetime", "lies outside min_lifetime and max_lifetime");
        }
        (End::After(_), End::Never(_)) => return bad("default_lifetime", "is never, but max_lifetime is not"),
        _ => {}
    }
    if matches!(policy.access_lifetime, AccessLifetime::At(lifetime) if lifetime.as_secs() == 0) {
        return bad("access_lifetime", "must be at least one second");
    }
    if let (AccessLifetime::At(access), End::After(max)) = (policy.access_lifetime, policy.max_lifetime)
        && access > max
    {
        return bad("access_lifetime", "is longer than max_lifetime");
    }
    if policy.credential == Credential::Pair && matches!(policy.access_lifetime, AccessLifetime::Grant(_)) {
        return bad("access_lifetime", "a pair needs an access token that ends before its refresh token");
    }
    let never = matches!(policy.max_lifetime, End::Never(_)) || matches!(policy.default_lifetime, End::Never(_));
    if policy.credential != Credential::Key && never {
        return bad("max_lifetime", "only credentials of kind key may live without an end");
    }
    match all.get(&policy.mints) {
        None if !policy.mints.is_empty() => bad("mints", "there is no policy of that name"),
        Some(minted) if minted.credential == Credential::Key => bad("mints", "a key can't mint keys"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(toml: &str) -> BTreeMap<String, PolicyRules> {
        toml::from_str(toml).unwrap()
    }

    fn short() -> BTreeMap<String, PolicyRules> {
        rules(
            r#"
            [short]
            credential = "access"
            min_lifetime = "30m"
            max_lifetime = "6h"
            default_lifetime = "1h"
            access_lifetime = "grant"
            revoke = "owner"
            creation = ["self", "admin"]
            "#,
        )
    }

    #[test]
    fn both_bounds_are_inclusive_and_outside_is_refused_naming_them() {
        let policies = Policies::new(&short()).unwrap();
        let policy = policies.find("short").unwrap();
        let now = Timestamp::from_ms(0);
        let end = |seconds| policy.grant_end(Some(Lifetime::from_secs(seconds)), now);
        assert_eq!(end(1800), Ok(Some(Timestamp::from_ms(1_800_000))));
        assert_eq!(end(21_600), Ok(Some(Timestamp::from_ms(21_600_000))));
        for outside in [0, 1799, 21_601, u32::MAX] {
            let refused = end(outside).unwrap_err().to_string();
            assert!(refused.contains("from 30m to 6h"), "{refused}");
        }
        assert_eq!(policy.grant_end(None, now), Ok(Some(Timestamp::from_ms(3_600_000))));
    }

    #[test]
    fn an_access_token_never_outlives_its_grant() {
        let mut rules = short();
        rules.get_mut("short").unwrap().access_lifetime = AccessLifetime::At(Lifetime::from_secs(3600));
        let policies = Policies::new(&rules).unwrap();
        let policy = policies.find("short").unwrap();
        let (now, end) = (Timestamp::from_ms(0), Timestamp::from_ms(1_000));
        assert_eq!(policy.access_end(Some(end), now), Some(end));
        assert_eq!(policy.access_end(None, now), Some(Timestamp::from_ms(3_600_000)));
    }

    #[test]
    fn contradictions_are_refused_with_the_key_named() {
        type Change = fn(&mut PolicyRules);
        let cases: [(&str, Change); 5] = [
            ("min_lifetime", |rules| rules.min_lifetime = Lifetime::from_secs(30_000)),
            ("default_lifetime", |rules| rules.default_lifetime = End::After(Lifetime::from_secs(1))),
            ("access_lifetime", |rules| rules.credential = Credential::Pair),
            ("max_lifetime", |rules| {
                rules.max_lifetime = End::Never(Never::Never);
                rules.default_lifetime = End::Never(Never::Never);
            }),
            ("mints", |rules| rules.mints = "missing".to_owned()),
        ];
        for (key, change) in cases {
            let mut all = short();
            change(all.get_mut("short").unwrap());
            assert_eq!(Policies::new(&all).unwrap_err().key, key);
        }
    }
}

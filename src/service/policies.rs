//! `/admin/v1/policies`: the rules that are in force, and those that living grants were issued under.

use serde::Serialize;
use utoipa::ToSchema;

use super::Service;
use super::caller::Caller;
use super::error::ApiFailure;
use crate::domain::clock::Timestamp;
use crate::domain::lifetime::Lifetime;
use crate::domain::policy::{AccessLifetime, Creator, Credential, End, OnDisable, Policy, PolicyVersion, RevokeReach};

/// A length of time as a number and as people write it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LifetimeView {
    /// `null` where it is not a fixed time.
    pub seconds: Option<u32>,
    /// For instance `6h`; `never`, or `grant` for as long as the grant.
    pub text: String,
}

/// A policy as REST shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyView<'a> {
    pub name: &'a str,
    /// Which rules these are.
    pub version: String,
    /// Whether new grants are issued under them.
    pub current: bool,
    pub credential: Credential,
    pub min_lifetime: LifetimeView,
    pub max_lifetime: LifetimeView,
    pub default_lifetime: LifetimeView,
    pub access_lifetime: LifetimeView,
    pub revoke: RevokeReach,
    pub creation: &'a [Creator],
    /// The policy of the sessions that a credential opens.
    pub mints: Option<&'a str>,
    pub on_disable: OnDisable,
    pub rest_revoke: bool,
    pub refresh_on_any_endpoint: bool,
}

/// A policy with every set of rules that it has had.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyHistoryView<'a> {
    #[serde(flatten)]
    pub policy: PolicyView<'a>,
    /// Newest first.
    pub snapshots: Vec<SnapshotView<'a>>,
}

/// Rules that grants were issued under.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotView<'a> {
    #[serde(flatten)]
    pub rules: PolicyView<'a>,
    pub first_used_at: Timestamp,
}

/// Rules of a policy, and when this store first saw them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub policy: Policy,
    pub first_used_at: Timestamp,
}

impl<'a> PolicyView<'a> {
    fn of(policy: &'a Policy, current: PolicyVersion) -> Self {
        let rules = &policy.rules;
        Self {
            name: &policy.name,
            version: policy.version.to_string(),
            current: policy.version == current,
            credential: rules.credential,
            min_lifetime: rules.min_lifetime.into(),
            max_lifetime: rules.max_lifetime.into(),
            default_lifetime: rules.default_lifetime.into(),
            access_lifetime: rules.access_lifetime.into(),
            revoke: rules.revoke,
            creation: &rules.creation,
            mints: Some(rules.mints.as_str()).filter(|name| !name.is_empty()),
            on_disable: rules.on_disable,
            rest_revoke: rules.rest_revoke,
            refresh_on_any_endpoint: rules.refresh_on_any_endpoint,
        }
    }
}

impl<'a> PolicyHistoryView<'a> {
    #[must_use]
    pub fn of(policy: &'a Policy, snapshots: &'a [Snapshot]) -> Self {
        let rules = |snapshot: &'a Snapshot| SnapshotView {
            rules: PolicyView::of(&snapshot.policy, policy.version),
            first_used_at: snapshot.first_used_at,
        };
        Self { policy: PolicyView::of(policy, policy.version), snapshots: snapshots.iter().map(rules).collect() }
    }
}

impl From<Lifetime> for LifetimeView {
    fn from(lifetime: Lifetime) -> Self {
        Self { seconds: Some(lifetime.as_secs()), text: lifetime.to_string() }
    }
}

impl From<End> for LifetimeView {
    fn from(end: End) -> Self {
        match end {
            End::After(lifetime) => lifetime.into(),
            End::Never(_) => Self { seconds: None, text: "never".to_owned() },
        }
    }
}

impl From<AccessLifetime> for LifetimeView {
    fn from(lifetime: AccessLifetime) -> Self {
        match lifetime {
            AccessLifetime::At(lifetime) => lifetime.into(),
            AccessLifetime::Grant(_) => Self { seconds: None, text: "grant".to_owned() },
        }
    }
}

impl Service {
    /// All policies that are in force, by name.
    #[must_use]
    pub fn list_policies(&self, _: &Caller) -> Vec<PolicyView<'_>> {
        self.policies.iter().map(|policy| PolicyView::of(policy, policy.version)).collect()
    }

    /// A policy and the rules that it has had.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn find_policy(&self, _: &Caller, name: &str) -> Result<(&Policy, Vec<Snapshot>), ApiFailure> {
        let policy = self.policies.find(name).ok_or(ApiFailure::NotFound("policy"))?;
        let kept = self.store.list_policy_snapshots(name.to_owned()).await?.into_iter();
        let snapshots = kept.map(|(policy, first_used_at)| Snapshot { policy, first_used_at }).collect();
        Ok((policy, snapshots))
    }
}

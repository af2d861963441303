//! The request bodies.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::catalog_name::CatalogName;
use crate::domain::ids::{ClientId, GrantId};
use crate::domain::lifetime::Lifetime;
use crate::domain::scope::Scopes;
use crate::http::json as body;
use crate::http::openapi::texts::{PolicyName, Reason, ShownName};
use crate::service::catalog::AskedAssociations;
use crate::service::tokens::{CreateToken, EditToken, Ending};

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenCreate)]
pub(crate) struct CreateBody {
    /// `access`, `api`, `key`, or another of the configuration that the caller may use
    #[schema(value_type = PolicyName)]
    policy: String,
    /// Tells this token from the others in the list; needed for a key or a pair
    #[serde(default)]
    #[schema(value_type = Option<ShownName>)]
    name: Option<String>,
    /// Within the bounds of the policy
    #[serde(default)]
    lifetime: Option<Lifetime>,
    #[serde(default)]
    #[schema(value_type = Scopes)]
    scopes: Vec<String>,
    /// Names of APIs of the workspace
    #[serde(default)]
    #[schema(value_type = Option<Vec<CatalogName>>)]
    apis: Option<Vec<String>>,
    /// Names of plans of the workspace; chosen by administrators
    #[serde(default)]
    #[schema(value_type = Option<Vec<CatalogName>>)]
    plans: Option<Vec<String>>,
    /// A user id or a client id of the workspace, named by administrators; else the caller
    #[serde(default)]
    #[schema(value_type = Option<ClientId>)]
    owner: Option<String>,
    /// At most 4096 bytes as JSON
    #[serde(default)]
    #[schema(value_type = Object)]
    extra_fields: Map<String, Value>,
}

impl From<CreateBody> for CreateToken {
    fn from(body: CreateBody) -> Self {
        Self {
            policy: body.policy,
            name: body.name,
            lifetime: body.lifetime,
            scopes: body.scopes,
            associations: AskedAssociations { apis: body.apis, plans: body.plans },
            owner: body.owner,
            extra_fields: body.extra_fields,
        }
    }
}

/// A merge patch (RFC 7396) of what can be edited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenEdit)]
pub(crate) struct EditBody {
    /// A user id or a client id of the workspace; changed by administrators
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = ClientId, required = false)]
    owner: Option<String>,
    /// Itself a merge patch: null removes a field
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Object, required = false)]
    extra_fields: Option<Map<String, Value>>,
    /// Names of APIs: all that the token shall be associated with
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Vec<CatalogName>, required = false)]
    apis: Option<Vec<String>>,
    /// Names of plans: all that the token shall be associated with; changed by administrators
    #[serde(default, deserialize_with = "body::present")]
    #[schema(value_type = Vec<CatalogName>, required = false)]
    plans: Option<Vec<String>>,
}

impl From<EditBody> for EditToken {
    fn from(body: EditBody) -> Self {
        let associations = AskedAssociations { apis: body.apis, plans: body.plans };
        Self { owner: body.owner, extra_fields: body.extra_fields, associations }
    }
}

/// Why a token ends; all of it may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenEnd)]
pub(crate) struct EndBody {
    #[serde(default)]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
}

/// For how long the old secret is accepted beside the new one; all of it may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenRotate)]
pub(crate) struct RotateBody {
    /// At most 30 days; at once where it is left out
    #[serde(default)]
    pub overlap: Option<Lifetime>,
}

/// Which tokens to revoke; all of it may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenRevokeAll)]
pub(crate) struct RevokeAllBody {
    /// A user id or a client id of the workspace, named by administrators; else the caller
    #[serde(default)]
    #[schema(value_type = Option<ClientId>)]
    pub owner: Option<String>,
    /// For one's own tokens `access` where it is left out, for an owner every policy whose tokens may be revoked here
    #[serde(default)]
    #[schema(value_type = Option<PolicyName>)]
    pub policy: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
    /// Refuse when another number of tokens would be revoked
    #[serde(default)]
    pub expect_count: Option<u64>,
    #[serde(default)]
    pub dry_run: bool,
}

/// What to do with many tokens. Exactly one of `ids` and `filter` is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenBulk)]
pub(crate) struct BulkBody {
    pub action: Action,
    #[serde(default)]
    #[schema(value_type = Option<Vec<GrantId>>, max_items = 1000)]
    pub ids: Option<Vec<String>>,
    #[serde(default)]
    pub filter: Option<super::filter::FilterBody>,
    /// Refuse when another number of tokens would be changed
    #[serde(default)]
    pub expect_count: Option<u64>,
    #[serde(default)]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
    #[serde(default)]
    pub dry_run: bool,
}

/// What is done with each.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TokenBulkAction)]
pub(crate) enum Action {
    Disable,
    Delete,
    Revoke,
}

impl From<Action> for Ending {
    fn from(action: Action) -> Self {
        match action {
            Action::Disable => Self::Disable,
            Action::Delete => Self::Delete,
            Action::Revoke => Self::Revoke,
        }
    }
}

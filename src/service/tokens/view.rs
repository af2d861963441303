//! A grant as REST shows it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Origin, Owner, Status};
use crate::domain::ids::{ClientId, GrantId};
use crate::domain::scope::Scopes;

/// A token, without any of its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView<'a> {
    pub id: GrantId,
    pub name: Option<&'a str>,
    pub policy: &'a str,
    pub status: Status,
    pub owner: &'a Owner,
    pub client_id: Option<&'a ClientId>,
    pub workspace: &'a str,
    pub origin: Origin,
    pub scopes: &'a Scopes,
    pub apis: &'a [String],
    pub plans: &'a [String],
    #[schema(value_type = Object)]
    pub extra_fields: &'a Map<String, Value>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
    pub disabled_by: Option<&'a str>,
    pub revoked_at: Option<Timestamp>,
    pub revoked_by: Option<&'a str>,
    pub revoke_reason: Option<&'a str>,
    pub version: i64,
}

impl<'a> TokenView<'a> {
    #[must_use]
    pub fn of(grant: &'a Grant, now: Timestamp) -> Self {
        Self {
            id: grant.id,
            name: grant.name.as_deref(),
            policy: &grant.policy,
            status: grant.status(now),
            owner: &grant.owner,
            client_id: grant.client.as_ref().map(|client| &client.client_id),
            workspace: &grant.workspace.name,
            origin: grant.origin,
            scopes: &grant.scopes,
            apis: &grant.apis,
            plans: &grant.plans,
            extra_fields: &grant.extra_fields,
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            last_used_at: grant.last_used_at,
            disabled_at: grant.disabled_at,
            disabled_by: grant.disabled_by.as_deref(),
            revoked_at: grant.revoked_at,
            revoked_by: grant.revoked_by.as_deref(),
            revoke_reason: grant.revoke_reason.as_deref(),
            version: grant.version,
        }
    }
}

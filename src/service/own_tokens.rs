//! `/api/v1/tokens`: a user's own tokens.

use serde::Serialize;
use serde_json::{Map, Value};

use super::caller::Caller;
use super::catalog::AskedAssociations;
use super::error::{ApiFailure, FieldError};
use super::issue::{Issued, Opening};
use super::revoke::Receipt;
use super::{Service, audit, revoke};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Origin, Owner, SessionDetails, Status};
use crate::domain::ids::{ClientId, GrantId};
use crate::domain::lifetime::Lifetime;
use crate::domain::name::{BadText, MAX_NAME_CHARS, MAX_REASON_CHARS, shown_text};
use crate::domain::policy::{Creator, Credential};
use crate::domain::scope::Scopes;
use crate::store::grant::GrantCursor;
use crate::store::revoke::{Revoke, Target};

/// What a user asks for.
#[derive(Debug)]
pub struct CreateToken {
    pub policy: String,
    pub name: Option<String>,
    pub lifetime: Option<Lifetime>,
    pub scopes: Vec<String>,
    pub associations: AskedAssociations,
    pub extra_fields: Map<String, Value>,
}

/// A token that was made: its secrets are shown this once.
#[derive(Debug)]
pub struct CreatedToken {
    pub grant: Grant,
    pub issued: Issued,
    pub credential: Credential,
    /// With whom a pair is refreshed.
    pub client_id: Option<ClientId>,
}

/// A grant as REST shows it.
#[derive(Debug, Serialize)]
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
    pub extra_fields: &'a Map<String, Value>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
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
            revoked_at: grant.revoked_at,
            revoked_by: grant.revoked_by.as_deref(),
            revoke_reason: grant.revoke_reason.as_deref(),
            version: grant.version,
        }
    }
}

/// Counting more would take longer than revoking them.
const MAX_COUNTED: u32 = 100_000;
/// Shown in every introspection answer, so kept small.
const MAX_EXTRA_FIELDS_BYTES: usize = 4096;

impl Service {
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, or the store's.
    pub async fn create_own_token(&self, caller: &Caller, request: CreateToken) -> Result<CreatedToken, ApiFailure> {
        if !caller.user.tokens_allowed {
            return Err(ApiFailure::Forbidden("an administrator has forbidden this user to create tokens"));
        }
        let now = self.clock.now();
        let Some(policy) = self.policies.find(&request.policy).cloned() else {
            let names: Vec<&str> = self.policies.iter().map(|policy| &*policy.name).collect();
            return Err(ApiFailure::field("/policy", format!("is one of: {}", names.join(", "))));
        };
        if !policy.may_be_created_by(Creator::Owner) {
            return Err(ApiFailure::field("/policy", "tokens of this policy can't be created by their owner"));
        }
        let mut errors = Vec::new();
        let end = policy.grant_end(request.lifetime, now);
        let end = end.map_err(|error| errors.push(FieldError::new("/lifetime", error.to_string()))).unwrap_or(None);
        let scopes = Scopes::from_words(&request.scopes);
        let scopes = scopes.map_err(|error| errors.push(FieldError::new("/scopes", error.to_string())));
        let name = read_name(request.name.as_deref(), policy.rules.credential);
        let name = name.map_err(|error| errors.push(FieldError::new("/name", error))).unwrap_or(None);
        errors.extend(extra_fields_error(&request.extra_fields));
        let (workspace, asked) = (caller.workspace.id, request.associations);
        let associations = self.read_associations(workspace, Creator::Owner, asked, &mut errors).await?;
        if let Ok(scopes) = &scopes {
            errors.extend(caller.scope_error(scopes));
        }
        let (Ok(scopes), true) = (scopes, errors.is_empty()) else {
            return Err(ApiFailure::Invalid(errors));
        };
        let refresher = match policy.rules.credential {
            Credential::Pair => Some(self.store.find_api_client(caller.workspace.id).await?),
            Credential::Access | Credential::Key => None,
        };
        let opening = Opening {
            policy: &policy,
            workspace: &caller.workspace,
            origin: Origin::Api,
            name,
            user: Some(caller.user.id),
            client: refresher.as_ref().map(|client| client.key),
            scopes,
            apis: associations.apis.unwrap_or_default(),
            plans: associations.plans.unwrap_or_default(),
            extra_fields: request.extra_fields,
            session: SessionDetails::default(),
            as_of: caller.as_of,
        };
        let audit = |grant: GrantId| {
            self.audit_event(&caller.context, caller.workspace.id, caller.actor(), "token.create", grant.to_string())
        };
        let issued = self.open_grant(opening, end, now, audit).await?;
        let grant = self.store.find_grant(issued.grant).await?.ok_or(ApiFailure::NotFound("token"))?;
        let client_id = refresher.map(|client| client.client_id);
        Ok(CreatedToken { grant, issued, credential: policy.rules.credential, client_id })
    }

    /// A page of the caller's tokens, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_own_tokens(
        &self,
        caller: &Caller,
        after: GrantCursor,
        limit: u32,
    ) -> Result<(Vec<Grant>, Option<GrantCursor>), ApiFailure> {
        let mut grants = self.store.list_grants_of_user(caller.user.id, after, limit + 1).await?;
        let more = grants.len() > limit as usize;
        grants.truncate(limit as usize);
        let next = grants.last().filter(|_| more);
        let next = next.map(|last| GrantCursor { created_at: last.created_at, id: last.id });
        Ok((grants, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for somebody else's token, or the store's.
    pub async fn find_own_token(&self, caller: &Caller, id: GrantId) -> Result<Grant, ApiFailure> {
        let grant = self.store.find_grant(id).await?;
        let own = grant.filter(|grant| grant.owner.user_id() == Some(caller.user.id));
        own.ok_or(ApiFailure::NotFound("token"))
    }

    /// Revokes one of the caller's tokens, and whatever its policy says goes with it.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn revoke_own_token(
        &self,
        caller: &Caller,
        id: GrantId,
        reason: Option<String>,
    ) -> Result<(Grant, Receipt), ApiFailure> {
        let reason = reason.map(|reason| shown_text(&reason, MAX_REASON_CHARS)).transpose();
        let reason = reason.map_err(|error| ApiFailure::field("/reason", error.to_string()))?;
        let grant = self.find_own_token(caller, id).await?;
        let receipt = self.revoke_grant(&grant, audit::actor(&grant.owner), reason, &caller.context).await?;
        Ok((self.find_own_token(caller, id).await?, receipt))
    }

    /// Revokes every token that the caller holds under `policy`. One row, whatever their number; the number itself is
    /// told up to a hundred thousand.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] for an unknown policy, or the store's.
    pub async fn revoke_all_own_tokens(
        &self,
        caller: &Caller,
        policy: &str,
    ) -> Result<(Option<u64>, Receipt), ApiFailure> {
        if self.policies.find(policy).is_none() {
            return Err(ApiFailure::field("/policy", "there is no policy of this name"));
        }
        let now = self.clock.now();
        // Only told, so that neither its cost nor its failure may keep the revocation from happening.
        let user = caller.user.id;
        let count = self.store.count_active_grants_of_user(user, policy.to_owned(), now, MAX_COUNTED + 1).await;
        let count = count.inspect_err(|error| tracing::warn!(error = ?error, "tokens to revoke could not be counted"));
        let count = count.ok().filter(|count| *count <= u64::from(MAX_COUNTED));
        let subject = revoke::owner_subject(&Owner::User { id: caller.user.id, name: String::new() });
        let target = Target::CutOff { subject, policy: policy.to_owned(), marked: None };
        let by = caller.actor();
        let audit = self.audit_event(
            &caller.context,
            caller.workspace.id,
            by.clone(),
            "token.revoke_all",
            format!("user:{} policy:{policy}", caller.user.id),
        );
        let (_, receipt) = self.write_revocation(Revoke { target, at: now, by, reason: None, audit }).await?;
        Ok((count, receipt))
    }
}

/// A key or a pair needs a name; an empty one counts as none.
fn read_name(name: Option<&str>, credential: Credential) -> Result<Option<String>, String> {
    match name.map(|name| shown_text(name, MAX_NAME_CHARS)) {
        Some(Ok(name)) => Ok(Some(name)),
        Some(Err(error)) if error != BadText::Empty => Err(error.to_string()),
        _ if credential == Credential::Access => Ok(None),
        _ => Err("is needed: it tells this token from the others in the list".to_owned()),
    }
}

fn extra_fields_error(fields: &Map<String, Value>) -> Option<FieldError> {
    let bytes = serde_json::to_string(fields).map_or(usize::MAX, |text| text.len());
    (bytes > MAX_EXTRA_FIELDS_BYTES).then(|| {
        FieldError::new("/extra_fields", format!("has at most {MAX_EXTRA_FIELDS_BYTES} bytes as JSON, not {bytes}"))
    })
}

//! Making tokens: for oneself, or by an administrator for anyone of the workspace.

use serde::Serialize;
use serde_json::{Map, Value};

use super::owner::NewOwner;
use super::{Manager, Reach};
use crate::domain::clock::Timestamp;
use crate::domain::grant::{Grant, Origin, SessionDetails};
use crate::domain::ids::{ClientId, ClientKey, GrantId};
use crate::domain::lifetime::Lifetime;
use crate::domain::name::{BadText, MAX_NAME_CHARS, shown_text};
use crate::domain::policy::{Creator, Credential, Policy};
use crate::domain::scope::Scopes;
use crate::service::Service;
use crate::service::catalog::{AskedAssociations, Associations};
use crate::service::detail::{Detail, Reason};
use crate::service::error::{ApiFailure, FieldError};
use crate::service::idempotency::{IdempotencyKey, Origination};
use crate::service::issue::{Issued, Opening};
use crate::store::StoreError;

/// What is asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CreateToken {
    pub policy: String,
    pub name: Option<String>,
    pub lifetime: Option<Lifetime>,
    pub scopes: Vec<String>,
    pub associations: AskedAssociations,
    /// A user id or a client id; the caller where none is named.
    pub owner: Option<String>,
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
    /// A call that was made before: nothing new was made.
    pub repeated: bool,
}

/// What has passed all checks.
struct Checked {
    policy: std::sync::Arc<Policy>,
    name: Option<String>,
    scopes: Scopes,
    associations: Associations,
    owner: NewOwner,
    client: Option<ClientKey>,
    client_id: Option<ClientId>,
}

/// Shown in every introspection answer, so kept small.
const MAX_EXTRA_FIELDS_BYTES: usize = 4096;

impl Service {
    /// Makes a token and returns once it is durable.
    ///
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, or the store's.
    pub async fn create_token(
        &self,
        manager: &Manager,
        request: CreateToken,
        key: Option<&IdempotencyKey>,
    ) -> Result<CreatedToken, ApiFailure> {
        let (caller, now) = (&manager.caller, self.clock.now());
        let checked = self.check_create(manager, &request, now).await?;
        let end = checked.policy.grant_end(request.lifetime, now);
        let end = end.map_err(|error| ApiFailure::field("/lifetime", error.to_string()))?;
        let own = *GrantId::generate(end, &self.entropy).as_bytes();
        let origination = self.originate(caller, key, &(manager.reach, &request), own).await?;
        let opening = Opening {
            policy: &checked.policy,
            workspace: &caller.workspace,
            origin: manager.origin(),
            name: checked.name,
            user: checked.owner.user,
            client: checked.client,
            scopes: checked.scopes,
            apis: checked.associations.apis.unwrap_or_default(),
            plans: checked.associations.plans.unwrap_or_default(),
            extra_fields: request.extra_fields,
            session: SessionDetails::default(),
            as_of: checked.owner.as_of,
        };
        let (issued, repeated) = self.issue_once(manager, opening, &origination, request.lifetime, now).await?;
        let grant = self.store.find_grant(issued.grant).await?.ok_or(ApiFailure::NotFound("token"))?;
        let credential = checked.policy.rules.credential;
        Ok(CreatedToken { grant, issued, credential, client_id: checked.client_id, repeated })
    }

    async fn issue_once(
        &self,
        manager: &Manager,
        opening: Opening<'_>,
        origination: &Origination<'_>,
        lifetime: Option<Lifetime>,
        now: Timestamp,
    ) -> Result<(Issued, bool), ApiFailure> {
        let caller = &manager.caller;
        let at = origination.at(now);
        let end = opening.policy.grant_end(lifetime, at);
        let end = end.map_err(|error| ApiFailure::field("/lifetime", error.to_string()))?;
        let grant = GrantId::from_bytes(origination.id(*GrantId::generate(end, &self.entropy).as_bytes()));
        let mut audit =
            self.audit_event(&caller.context, caller.workspace.id, caller.actor(), "token.create", grant.to_string());
        audit.detail = Some(serde_json::json!({ "policy": &*opening.policy.name, "name": opening.name }).to_string());
        let (issue, issued) = opening.issue(grant, end, at, |kind, end| origination.mint(kind, end), audit);
        match self.issue(issue).await {
            Ok(()) => Ok((issued, false)),
            Err(StoreError::Duplicate(_)) if matches!(origination, Origination::Derived { .. }) => Ok((issued, true)),
            Err(error) => Err(error.into()),
        }
    }

    async fn check_create(
        &self,
        manager: &Manager,
        request: &CreateToken,
        now: Timestamp,
    ) -> Result<Checked, ApiFailure> {
        let caller = &manager.caller;
        if !caller.user.tokens_allowed {
            return Err(ApiFailure::Forbidden("an administrator has forbidden this user to create tokens"));
        }
        let Some(policy) = self.policies.find(&request.policy).cloned() else {
            let names: Vec<&str> = self.policies.iter().map(|policy| &*policy.name).collect();
            return Err(ApiFailure::field("/policy", format!("is one of: {}", names.join(", "))));
        };
        if !policy.may_be_created_by(manager.creator()) {
            return Err(ApiFailure::field("/policy", manager.creator_refusal()));
        }
        let mut errors = Vec::new();
        let mut bad = |pointer: &str, detail: Detail| errors.push(FieldError::new(pointer, detail));
        if let Err(error) = policy.grant_end(request.lifetime, now) {
            bad("/lifetime", error.to_string().into());
        }
        let scopes = Scopes::from_words(&request.scopes).unwrap_or_else(|error| {
            bad("/scopes", error.into());
            Scopes::default()
        });
        let name = read_name(request.name.as_deref(), policy.rules.credential).unwrap_or_else(|error| {
            bad("/name", error);
            None
        });
        if manager.reach == Reach::Own && request.owner.is_some() {
            bad("/owner", "is named by an administrator only; here a token is the caller's own".into());
        }
        let (workspace, asked) = (caller.workspace.id, request.associations.clone());
        let associations = self.read_associations(workspace, manager.creator(), asked, &mut errors).await?;
        errors.extend(extra_fields_error(&request.extra_fields));
        errors.extend(caller.scope_error(&scopes));
        if let Ok(end) = policy.grant_end(request.lifetime, now) {
            errors.extend(caller.outliving_error(end));
        }
        if !errors.is_empty() {
            return Err(ApiFailure::Invalid(errors));
        }
        let owner = match &request.owner {
            Some(text) => self.read_owner(caller, text).await?,
            None => NewOwner { user: Some(caller.user.id), client: None, as_of: caller.as_of },
        };
        // A user's pair is refreshed with the workspace's public client, a client's own with the client.
        let (client, client_id) = match (policy.rules.credential, owner.user) {
            (Credential::Pair, Some(_)) => {
                let refresher = self.store.find_api_client(caller.workspace.id).await?;
                (Some(refresher.key), Some(refresher.client_id))
            }
            (Credential::Pair, None) => (owner.client, request.owner.as_ref().and_then(|owner| owner.parse().ok())),
            (Credential::Access | Credential::Key, _) => (owner.client, None),
        };
        Ok(Checked { policy, name, scopes, associations, owner, client, client_id })
    }
}

impl Manager {
    pub(super) const fn creator(&self) -> Creator {
        match self.reach {
            Reach::Own => Creator::Owner,
            Reach::Workspace => Creator::Admin,
        }
    }

    const fn origin(&self) -> Origin {
        match self.reach {
            Reach::Own => self.caller.door,
            Reach::Workspace => Origin::Admin,
        }
    }

    const fn creator_refusal(&self) -> &'static str {
        match self.reach {
            Reach::Own => "tokens of this policy can't be created by their owner",
            Reach::Workspace => "tokens of this policy can't be created by an administrator",
        }
    }
}

/// A key or a pair needs a name; an empty one counts as none.
fn read_name(name: Option<&str>, credential: Credential) -> Result<Option<String>, Detail> {
    match name.map(|name| shown_text(name, MAX_NAME_CHARS)) {
        Some(Ok(name)) => Ok(Some(name)),
        Some(Err(error)) if error != BadText::Empty => Err(error.into()),
        _ if credential == Credential::Access => Ok(None),
        _ => Err(Detail::new(Reason::Empty, "is needed: it tells this token from the others in the list")),
    }
}

/// Why these extra fields are too much.
pub(super) fn extra_fields_error(fields: &Map<String, Value>) -> Option<FieldError> {
    let bytes = serde_json::to_string(fields).map_or(usize::MAX, |text| text.len());
    (bytes > MAX_EXTRA_FIELDS_BYTES).then(|| {
        FieldError::new(
            "/extra_fields",
            Detail::new(
                Reason::ExtraFieldsTooLarge { max: MAX_EXTRA_FIELDS_BYTES },
                format!("has at most {MAX_EXTRA_FIELDS_BYTES} bytes as JSON, not {bytes}"),
            ),
        )
    })
}

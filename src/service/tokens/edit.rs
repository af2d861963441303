//! Editing a token: owner, extra fields, APIs and plans, while it is active and nobody else has edited it meanwhile.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::create::extra_fields_error;
use super::owner::NewOwner;
use super::{Manager, Reach};
use crate::domain::grant::{Grant, Owner, Status};
use crate::domain::ids::GrantId;
use crate::service::Service;
use crate::service::catalog::{AskedAssociations, Associations};
use crate::service::detail::{Detail, Reason};
use crate::service::edit::IfMatch;
use crate::service::error::{ApiFailure, FieldError};
use crate::service::revoke::{self, Receipt};
use crate::store::grant_change::{Act, Author, Changes, Edit, GrantWrite, Held, Selection};

/// A merge patch (RFC 7396): what is not given stays.
#[derive(Clone, Debug, Default)]
pub struct EditToken {
    /// A user id or a client id.
    pub owner: Option<String>,
    /// Itself a merge patch: `null` removes a field.
    pub extra_fields: Option<Map<String, Value>>,
    pub associations: AskedAssociations,
}

/// The patch with its names looked up.
#[derive(Clone)]
struct Resolved {
    owner: Option<NewOwner>,
    /// For a pair that a user owns: with whom it is refreshed.
    refresher: Option<crate::domain::ids::ClientKey>,
    associations: Associations,
    patch: EditToken,
}

impl Service {
    /// Edits a token; in force on the next validation.
    ///
    /// # Errors
    /// [`ApiFailure`]: a field that can't be accepted, a token that is not active, a version that has moved on, and the
    /// store's.
    pub async fn edit_token(
        &self,
        manager: &Manager,
        id: GrantId,
        patch: EditToken,
        if_match: IfMatch,
    ) -> Result<(Grant, Receipt), ApiFailure> {
        let caller = &manager.caller;
        if manager.reach == Reach::Own {
            refuse_administrators_fields(&patch)?;
        }
        let mut errors = Vec::new();
        let asked = patch.associations.clone();
        let associations = self.read_associations(caller.workspace.id, manager.creator(), asked, &mut errors).await?;
        if !errors.is_empty() {
            return Err(ApiFailure::Invalid(errors));
        }
        let owner = match &patch.owner {
            Some(text) => Some(self.read_owner(caller, text).await?),
            None => None,
        };
        let refresher = Some(self.store.find_api_client(caller.workspace.id).await?.key);
        let resolved = Resolved { owner, refresher, associations, patch };
        let (extent, now, started) = (manager.extent(), self.clock.now(), revoke::start());
        let (service, context, actor) = (self.clone(), caller.context.clone(), caller.actor());
        let decide = move |held: &Held<'_>| {
            let grant = held.grants.iter().find(|grant| extent.holds(grant)).ok_or(ApiFailure::NotFound("token"))?;
            if_match.check(grant.version)?;
            if grant.status(now) != Status::Active {
                return Err(ApiFailure::Conflict(Detail::new(
                    Reason::NotActive,
                    format!("the token is {}; only an active one is edited", grant.status(now)),
                )));
            }
            let edit = resolved.apply(grant)?;
            let target = grant.id.to_string();
            let mut audit = service.audit_event(&context, grant.workspace.id, actor.clone(), "token.update", target);
            audit.detail = Some(resolved.detail(grant).to_string());
            let write = GrantWrite { grant: grant.id, act: Act::Edit(edit), audit };
            Ok((Changes { writes: vec![write], ..Changes::default() }, ()))
        };
        let author = Author { at: now, by: caller.actor(), reason: None };
        let questions = Arc::new(|_: &[Grant]| Vec::new());
        let selection = Selection::Ids(vec![id]);
        let (committed, ()) = self.store.change_grants(selection, questions, author, Arc::new(decide)).await??;
        let receipt = self.receipt_of(committed.revision, started).await?;
        Ok((self.find_token(manager, id).await?, receipt))
    }
}

fn refuse_administrators_fields(patch: &EditToken) -> Result<(), ApiFailure> {
    let given = [("/owner", patch.owner.is_some()), ("/plans", patch.associations.plans.is_some())];
    let refused = given.into_iter().filter(|(_, given)| *given);
    let errors: Vec<FieldError> =
        refused.map(|(pointer, _)| FieldError::new(pointer, "is changed by an administrator only")).collect();
    if errors.is_empty() { Ok(()) } else { Err(ApiFailure::Invalid(errors)) }
}

impl Resolved {
    fn apply(&self, grant: &Grant) -> Result<Edit, ApiFailure> {
        let own = |grant: &Grant| NewOwner {
            user: grant.owner.user_id(),
            client: grant.client.as_ref().map(|client| client.key),
            as_of: grant.revision,
        };
        let (before, after) = (own(grant), self.owner);
        let (user, client) = match after {
            // A user's pair goes on being refreshed with the client that it was made for.
            Some(NewOwner { user: Some(user), .. }) => {
                let was_users = matches!(grant.owner, Owner::User { .. });
                let refresher = grant.client.as_ref().and(self.refresher);
                (Some(user), if was_users { before.client } else { refresher })
            }
            Some(NewOwner { client, .. }) => (None, client),
            None => (before.user, before.client),
        };
        let mut extra_fields = grant.extra_fields.clone();
        for (name, value) in self.patch.extra_fields.iter().flatten() {
            match value {
                Value::Null => extra_fields.shift_remove(name),
                value => extra_fields.insert(name.clone(), value.clone()),
            };
        }
        if let Some(error) = extra_fields_error(&extra_fields) {
            return Err(ApiFailure::Invalid(vec![error]));
        }
        Ok(Edit {
            user,
            client,
            apis: self.associations.apis.clone().unwrap_or_else(|| grant.apis.clone()),
            plans: self.associations.plans.clone().unwrap_or_else(|| grant.plans.clone()),
            extra_fields,
            as_of: after.map_or(grant.revision, |owner| owner.as_of),
        })
    }

    /// What was changed, for the audit: the old and the new of each field that was given.
    fn detail(&self, grant: &Grant) -> Value {
        let mut fields = Map::new();
        let mut put = |name: &str, old: Value, new: Value| {
            fields.insert(name.to_owned(), serde_json::json!({ "from": old, "to": new }));
        };
        if let Some(owner) = &self.patch.owner {
            put("owner", grant.owner.subject().into(), owner.as_str().into());
        }
        if let Some(patch) = &self.patch.extra_fields {
            put("extra_fields", grant.extra_fields.clone().into(), patch.clone().into());
        }
        if let Some(apis) = &self.associations.apis {
            put("apis", grant.apis.clone().into(), apis.clone().into());
        }
        if let Some(plans) = &self.associations.plans {
            put("plans", grant.plans.clone().into(), plans.clone().into());
        }
        serde_json::json!({ "changed": fields })
    }
}

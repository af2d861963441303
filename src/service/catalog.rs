//! A workspace's APIs and plans: where use cases have them from, and how tokens are associated with them by name.

use std::sync::Arc;

use serde::Serialize;

use super::Service;
use super::caller::Caller;
use super::detail::{Detail, Reason};
use super::error::{ApiFailure, FieldError};
use super::reach::{self, ReachView};
use super::revoke::Receipt;
use crate::domain::catalog::Catalog;
use crate::domain::grant::Revision;
use crate::domain::ids::WorkspaceId;
use crate::domain::policy::Creator;
use crate::store::StoreError;
use crate::store::catalog::{CatalogEdit, Change, Edited, MAX_ENTRIES};
use crate::store::naming::{Kind, Named};
use crate::store::revoke::{Revoke, Target};

/// The APIs and plans that a request names for a token; `None`: it does not speak of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AskedAssociations {
    pub apis: Option<Vec<String>>,
    pub plans: Option<Vec<String>>,
}

/// The names that a grant is given: each exists and stands there once.
#[derive(Clone, Debug, Default)]
pub struct Associations {
    pub apis: Option<Vec<String>>,
    pub plans: Option<Vec<String>>,
}

/// What the deletion of an API or a plan does, or would do: it ends no token, but what names it no longer covers it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CatalogDeletion)]
pub struct Deletion {
    pub id: String,
    pub dry_run: bool,
    /// The live tokens that name it; `null` where they could not be counted.
    pub reach: Option<ReachView>,
    /// How it was applied; not in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Receipt>,
}

/// Shown in every introspection answer, and gone through by every validation that names an API.
pub(super) const MAX_APIS: usize = 64;
/// Each one is counted separately.
const MAX_PLANS: usize = 8;

impl Service {
    /// The live APIs and plans of a workspace, from memory where this process keeps any.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn catalog(&self, workspace: WorkspaceId) -> Result<Arc<Catalog>, StoreError> {
        self.catalog_at(workspace, Revision::ZERO).await
    }

    /// As [`Service::catalog`], as of `at_least` or newer.
    pub(super) async fn catalog_at(
        &self,
        workspace: WorkspaceId,
        at_least: Revision,
    ) -> Result<Arc<Catalog>, StoreError> {
        let cache = &self.cache;
        if let Some(trusted) = self.trusted_now().await?
            && cache.applied() >= at_least
            && let Some(catalog) = cache.find_catalog(&trusted, workspace)
        {
            return Ok(catalog);
        }
        let fill = cache.begin_fill();
        let catalog = self.store.find_catalog(workspace).await?;
        self.require_lease()?;
        cache.fill_catalog(fill, workspace, &catalog);
        Ok(catalog)
    }

    /// Writes a change of the workspace's APIs and plans; `None` when the row is gone or has another version by now.
    ///
    /// # Errors
    /// [`ApiFailure::Conflict`] for a name that is or was in use and beyond the most there may be, or the store's.
    pub(super) async fn edit_catalog(
        &self,
        caller: &Caller,
        action: &'static str,
        id: String,
        change: Change,
    ) -> Result<Option<Receipt>, ApiFailure> {
        let (workspace, by) = (caller.workspace.id, caller.actor());
        let audit = self.audit_event(&caller.context, workspace, by.clone(), action, id);
        let log = Revoke { target: Target::Catalog(workspace), at: self.clock.now(), by, reason: None, audit };
        let written = async {
            let edited = self.store.edit_catalog(CatalogEdit { change, log }).await?;
            let applied = if let Edited::Applied(applied) = &edited { Some(applied.clone()) } else { None };
            Ok((edited, applied))
        };
        match self.in_force(written).await? {
            (Edited::Applied(_), receipt) => Ok(receipt),
            (Edited::Stale, _) => Ok(None),
            (Edited::NameTaken, _) => Err(ApiFailure::Conflict(Detail::new(
                Reason::NameTaken,
                "the name is or was in use, and tokens may name it; choose another",
            ))),
            (Edited::Full, _) => Err(ApiFailure::Conflict(Detail::new(
                Reason::CatalogFull { max: MAX_ENTRIES as usize },
                format!("a workspace has at most {MAX_ENTRIES} of these"),
            ))),
        }
    }

    /// Deletes an API or a plan, or tells what that would do.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`] when somebody else was faster, or the store's.
    pub(super) async fn drop_from_catalog(
        &self,
        caller: &Caller,
        dry_run: bool,
        (id, named): (String, Named),
        change: Change,
    ) -> Result<Deletion, ApiFailure> {
        let (action, what) = match named.kind {
            Kind::Api => ("api.delete", "API"),
            Kind::Plan => ("plan.delete", "plan"),
        };
        let now = self.clock.now();
        let reach = self.store.find_naming(named, now, now.minus(reach::IN_USE)).await.map(ReachView::from);
        if dry_run {
            return Ok(Deletion { id, dry_run, reach: Some(reach?), revocation: None });
        }
        // Only told, so that its failure must not keep the deletion from happening.
        let reach = reach.inspect_err(|error| tracing::warn!(error = ?error, "tokens could not be counted")).ok();
        let receipt = self.edit_catalog(caller, action, id.clone(), change).await?;
        let receipt = receipt.ok_or(ApiFailure::NotFound(what))?;
        Ok(Deletion { id, dry_run, reach, revocation: Some(receipt) })
    }

    /// Resolves the names that `by` asks for. What can't be accepted is added to `errors`, with pointers such as
    /// `/apis/0`; what is returned then is of no use.
    ///
    /// Owners choose the APIs of their own tokens; plans, which limit them, are chosen by administrators.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn read_associations(
        &self,
        workspace: WorkspaceId,
        by: Creator,
        asked: AskedAssociations,
        errors: &mut Vec<FieldError>,
    ) -> Result<Associations, StoreError> {
        let names_some = |names: &Option<Vec<String>>| names.as_ref().is_some_and(|names| !names.is_empty());
        if by == Creator::Owner && names_some(&asked.plans) {
            errors.push(FieldError::new("/plans", "are chosen by an administrator"));
        }
        // Most tokens name none, and need no look-up.
        let catalog = if names_some(&asked.apis) || names_some(&asked.plans) {
            self.catalog(workspace).await?
        } else {
            Arc::default()
        };
        let mut read = |asked: Option<Vec<String>>, pointer, max, exists: &dyn Fn(&str) -> bool| {
            asked.map(|names| read_names(names, pointer, max, exists, errors))
        };
        Ok(Associations {
            apis: read(asked.apis, "/apis", MAX_APIS, &|name| catalog.api(name).is_some()),
            plans: read(asked.plans, "/plans", MAX_PLANS, &|name| catalog.plan(name).is_some()),
        })
    }
}

fn read_names(
    names: Vec<String>,
    pointer: &str,
    max: usize,
    exists: &dyn Fn(&str) -> bool,
    errors: &mut Vec<FieldError>,
) -> Vec<String> {
    if names.len() > max {
        errors.push(FieldError::new(pointer, Detail::new(Reason::TooMany { max }, format!("has at most {max} names"))));
        return Vec::new();
    }
    let mut read: Vec<String> = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        if !exists(&name) {
            let detail = if pointer == "/apis" {
                Detail::new(Reason::UnknownApi, "is no API of this workspace")
            } else {
                Detail::new(Reason::UnknownPlan, "is no plan of this workspace")
            };
            errors.push(FieldError::new(format!("{pointer}/{index}"), detail));
        } else if !read.contains(&name) {
            read.push(name);
        }
    }
    read
}

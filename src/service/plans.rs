//! `/admin/v1/plans`: the workspace's usage limits.

use serde::Serialize;

use super::Service;
use super::caller::Caller;
use super::catalog::Deletion;
use super::detail::{Detail, Reason};
use super::edit::IfMatch;
use super::error::{ApiFailure, FieldError};
use crate::domain::catalog_name::CatalogName;
use crate::domain::clock::Timestamp;
use crate::domain::ids::PlanId;
use crate::domain::lifetime::Lifetime;
use crate::domain::plan::{Plan, Quota};
use crate::store::StoreError;
use crate::store::catalog::Change;
use crate::store::naming::{Kind, Named};
use crate::store::plan::PlanCursor;

/// A plan to make.
#[derive(Debug)]
pub struct CreatePlan {
    pub name: String,
    pub requests: u32,
    pub period: Lifetime,
    pub apis: Vec<String>,
}

/// An edit; `None` leaves a field as it is.
#[derive(Debug)]
pub struct EditPlan {
    pub requests: Option<u32>,
    pub period: Option<Lifetime>,
    pub apis: Option<Vec<String>>,
}

/// A plan as REST shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Plan)]
pub struct PlanView<'a> {
    pub id: PlanId,
    pub name: &'a CatalogName,
    pub workspace: &'a str,
    pub requests: u32,
    pub period: Lifetime,
    pub apis: &'a [CatalogName],
    pub created_at: Timestamp,
    pub version: i64,
}

impl<'a> PlanView<'a> {
    #[must_use]
    pub fn of(plan: &'a Plan, workspace: &'a str) -> Self {
        Self {
            id: plan.id,
            name: &plan.name,
            workspace,
            requests: plan.quota.requests.get(),
            period: plan.quota.period(),
            apis: &plan.apis,
            created_at: plan.created_at,
            version: plan.version,
        }
    }
}

/// A plan that covers more covers all.
const MAX_APIS: usize = 64;

impl Service {
    /// # Errors
    /// [`ApiFailure::Invalid`] with every field that can't be accepted, [`ApiFailure::Conflict`] for a name that is or
    /// was in use, or the store's.
    pub async fn create_plan(&self, caller: &Caller, request: &CreatePlan) -> Result<Plan, ApiFailure> {
        let mut errors = Vec::new();
        let name = request.name.parse::<CatalogName>();
        let name = name.map_err(|error| errors.push(FieldError::new("/name", error)));
        let quota = read_quota(request.requests, request.period, &mut errors);
        let apis = self.read_covered(caller, &request.apis, &mut errors).await?;
        let (Ok(name), Some(quota), true) = (name, quota, errors.is_empty()) else {
            return Err(ApiFailure::Invalid(errors));
        };
        let now = self.clock.now();
        let id = PlanId::generate(now, &self.entropy);
        let plan = Plan { id, workspace: caller.workspace.id, name, quota, apis, created_at: now, version: 1 };
        self.edit_catalog(caller, "plan.create", id.to_string(), Change::AddPlan(plan.clone())).await?;
        Ok(plan)
    }

    /// The APIs that a plan covers: each exists, and stands there once.
    async fn read_covered(
        &self,
        caller: &Caller,
        names: &[String],
        errors: &mut Vec<FieldError>,
    ) -> Result<Vec<CatalogName>, StoreError> {
        if names.len() > MAX_APIS {
            errors.push(FieldError::new(
                "/apis",
                Detail::new(
                    Reason::TooMany { max: MAX_APIS },
                    format!("has at most {MAX_APIS} names; none covers all"),
                ),
            ));
            return Ok(Vec::new());
        }
        let catalog = self.catalog(caller.workspace.id).await?;
        let mut covered = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            match catalog.api(name) {
                Some(api) if !covered.contains(&api.name) => covered.push(api.name.clone()),
                Some(_) => {}
                None => errors.push(FieldError::new(
                    format!("/apis/{index}"),
                    Detail::new(Reason::UnknownApi, "is no API of this workspace"),
                )),
            }
        }
        Ok(covered)
    }

    /// A page of the workspace's plans, newest first, and where the next page starts.
    ///
    /// # Errors
    /// The store's.
    pub async fn list_plans(
        &self,
        caller: &Caller,
        after: PlanCursor,
        limit: u32,
    ) -> Result<(Vec<Plan>, Option<PlanCursor>), ApiFailure> {
        let mut plans = self.store.list_plans(caller.workspace.id, after, limit + 1).await?;
        let more = plans.len() > limit as usize;
        plans.truncate(limit as usize);
        let next = plans.last().filter(|_| more).map(|last| PlanCursor { created_at: last.created_at, id: last.id });
        Ok((plans, next))
    }

    /// # Errors
    /// [`ApiFailure::NotFound`], also for another workspace's plan, or the store's.
    pub async fn find_plan(&self, caller: &Caller, id: PlanId) -> Result<Plan, ApiFailure> {
        self.store.find_plan(caller.workspace.id, id).await?.ok_or(ApiFailure::NotFound("plan"))
    }

    /// Changes a plan; validations that begin after the answer see it.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], [`ApiFailure::PreconditionFailed`], [`ApiFailure::Invalid`], or the store's.
    pub async fn edit_plan(
        &self,
        caller: &Caller,
        id: PlanId,
        versions: &IfMatch,
        edit: EditPlan,
    ) -> Result<Plan, ApiFailure> {
        let mut plan = self.find_plan(caller, id).await?;
        versions.check(plan.version)?;
        let mut errors = Vec::new();
        let requests = edit.requests.unwrap_or(plan.quota.requests.get());
        let period = edit.period.unwrap_or(plan.quota.period());
        plan.quota = read_quota(requests, period, &mut errors).unwrap_or(plan.quota);
        if let Some(names) = edit.apis {
            plan.apis = self.read_covered(caller, &names, &mut errors).await?;
        }
        if !errors.is_empty() {
            return Err(ApiFailure::Invalid(errors));
        }
        let change = Change::EditPlan(plan.clone());
        if self.edit_catalog(caller, "plan.update", id.to_string(), change).await?.is_none() {
            // Somebody else was faster: it is gone, or in another version.
            let current = self.find_plan(caller, id).await?.version;
            return Err(ApiFailure::PreconditionFailed { current });
        }
        Ok(Plan { version: plan.version + 1, ..plan })
    }

    /// Deletes a plan: it limits nothing any more, and tokens that name it cover no API by it. A dry run tells how
    /// many there are.
    ///
    /// # Errors
    /// [`ApiFailure::NotFound`], or the store's.
    pub async fn delete_plan(&self, caller: &Caller, id: PlanId, dry_run: bool) -> Result<Deletion, ApiFailure> {
        let plan = self.find_plan(caller, id).await?;
        let named = Named { workspace: caller.workspace.id, kind: Kind::Plan, name: plan.name.to_string() };
        self.drop_from_catalog(caller, dry_run, (id.to_string(), named), Change::DropPlan(id)).await
    }
}

fn read_quota(requests: u32, period: Lifetime, errors: &mut Vec<FieldError>) -> Option<Quota> {
    if !(1..=Quota::MAX_REQUESTS).contains(&requests) {
        errors.push(FieldError::new(
            "/requests",
            Detail::new(
                Reason::WholeNumber { max: Quota::MAX_REQUESTS.into() },
                format!("is a whole number from 1 to {}", Quota::MAX_REQUESTS),
            ),
        ));
    }
    if period.as_secs() == 0 || period > Quota::MAX_PERIOD {
        errors.push(FieldError::new(
            "/period",
            Detail::new(
                Reason::Period { max: Quota::MAX_PERIOD.to_string() },
                format!("is from 1s to {}", Quota::MAX_PERIOD),
            ),
        ));
    }
    Quota::new(requests, period)
}

//! The write that changes a workspace's APIs and plans, with its audit row and its place in the log; and the read of
//! all of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::database::{Database, Db};
use super::group_commit::Batch;
use super::group_read::{Found, Lookup};
use super::revoke::{Applied, Revoke};
use super::{Store, StoreError, api, plan, revoke};
use crate::domain::api::Api;
use crate::domain::catalog::Catalog;
use crate::domain::ids::{ApiId, PlanId, WorkspaceId};
use crate::domain::plan::Plan;

/// One change of an API or a plan.
#[derive(Clone, Debug)]
pub struct CatalogEdit {
    pub change: Change,
    /// Of target `Catalog`.
    pub log: Revoke,
}

/// What is changed. An edit carries the version that it was made on.
#[derive(Clone, Debug)]
pub enum Change {
    AddApi(Api),
    EditApi(Api),
    DropApi(ApiId),
    AddPlan(Plan),
    EditPlan(Plan),
    DropPlan(PlanId),
}

/// What became of a change.
#[derive(Clone, Debug)]
pub enum Edited {
    Applied(Applied),
    /// The name is or was in use.
    NameTaken,
    /// The workspace has as many as it may have.
    Full,
    /// The row is gone, or has another version by now.
    Stale,
}

/// APIs and plans of one workspace, each: all of them are kept in memory and read together.
pub const MAX_ENTRIES: u32 = 500;

impl Batch for CatalogEdit {
    type Output = Edited;

    const NAME: &'static str = "catalog";
    /// They queue for the head row anyway.
    const WRITERS: usize = 1;

    async fn write(db: &mut Db<'_>, members: &[&Self]) -> Result<Vec<Edited>, StoreError> {
        let mut outputs = Vec::with_capacity(members.len());
        for member in members {
            outputs.push(match member.change.refusal(db).await? {
                Some(refused) => refused,
                None if member.change.write(db, &member.log).await? => {
                    Edited::Applied(revoke::within(db, &member.log).await?)
                }
                None => Edited::Stale,
            });
        }
        Ok(outputs)
    }

    fn committed(database: &Database, outputs: &[Edited]) {
        let applied = outputs.iter().filter_map(|output| match output {
            Edited::Applied(applied) => Some(applied.clone()),
            Edited::NameTaken | Edited::Full | Edited::Stale => None,
        });
        let applied: Vec<Applied> = applied.collect();
        if !applied.is_empty() {
            database.sink.committed(&applied);
        }
    }

    fn outcome_unknown(database: &Database) {
        database.sink.outcome_unknown();
    }
}

impl Change {
    async fn refusal(&self, db: &mut Db<'_>) -> Result<Option<Edited>, StoreError> {
        let (named, count) = match self {
            Self::AddApi(api) => (api::is_named(db, api).await?, api::count(db, api.workspace).await?),
            Self::AddPlan(plan) => (plan::is_named(db, plan).await?, plan::count(db, plan.workspace).await?),
            Self::EditApi(_) | Self::DropApi(_) | Self::EditPlan(_) | Self::DropPlan(_) => return Ok(None),
        };
        Ok(match named {
            true => Some(Edited::NameTaken),
            false => (count >= i64::from(MAX_ENTRIES)).then_some(Edited::Full),
        })
    }

    /// False when there is no row to change.
    async fn write(&self, db: &mut Db<'_>, log: &Revoke) -> Result<bool, StoreError> {
        match self {
            Self::AddApi(api) => api::insert(db, api).await.map(|()| true),
            Self::EditApi(api) => api::update(db, api).await,
            Self::DropApi(id) => api::delete(db, *id, log.at).await,
            Self::AddPlan(plan) => plan::insert(db, plan).await.map(|()| true),
            Self::EditPlan(plan) => plan::update(db, plan).await,
            Self::DropPlan(id) => plan::delete(db, *id, log.at).await,
        }
    }
}

/// Catalogs by their workspace.
pub(super) struct CatalogLookup;

impl Lookup for CatalogLookup {
    type Key = WorkspaceId;
    type Value = Arc<Catalog>;

    async fn read(db: &mut Db<'_>, keys: &[WorkspaceId]) -> Result<Found<Self>, StoreError> {
        let mut found: HashMap<WorkspaceId, (Vec<Api>, Vec<Plan>)> = HashMap::new();
        for api in api::all(db, keys).await? {
            found.entry(api.workspace).or_default().0.push(api);
        }
        for plan in plan::all(db, keys).await? {
            found.entry(plan.workspace).or_default().1.push(plan);
        }
        Ok(found.into_iter().map(|(id, (apis, plans))| (id, Ok(Arc::new(Catalog::new(apis, plans))))).collect())
    }
}

impl Store {
    /// Returns once the change is durable and this process has forgotten what was before.
    pub(crate) async fn edit_catalog(&self, edit: CatalogEdit) -> Result<Edited, StoreError> {
        match self.catalog_edits.submit(edit).await {
            // Two that were added at the same moment: the index has the last word.
            Err(StoreError::Duplicate(_)) => Ok(Edited::NameTaken),
            result => result,
        }
    }

    /// All APIs and plans of a workspace.
    pub(crate) async fn find_catalog(&self, workspace: WorkspaceId) -> Result<Arc<Catalog>, StoreError> {
        Ok(self.catalogs.find(workspace).await?.unwrap_or_default())
    }
}

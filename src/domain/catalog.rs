//! What a workspace offers, its APIs and plans, and what of it a grant covers.
//!
//! A grant names APIs and plans; what counts is those of them that exist now. It covers an API that it names if it
//! names no plans, or one of its plans covers the API too. A validation is limited by the grant's plans that cover
//! one of the APIs that it names; if it names none, by those that cover all APIs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::api::Api;
use super::catalog_name::CatalogName;
use super::grant::Grant;
use super::plan::Plan;

/// The live APIs and plans of one workspace.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    apis: BTreeMap<CatalogName, Arc<Api>>,
    plans: BTreeMap<CatalogName, Arc<Plan>>,
}

impl Catalog {
    #[must_use]
    pub fn new(apis: impl IntoIterator<Item = Api>, plans: impl IntoIterator<Item = Plan>) -> Self {
        Self {
            apis: apis.into_iter().map(|api| (api.name.clone(), Arc::new(api))).collect(),
            plans: plans.into_iter().map(|plan| (plan.name.clone(), Arc::new(plan))).collect(),
        }
    }

    #[must_use]
    pub fn api(&self, name: &str) -> Option<&Api> {
        self.apis.get(name).map(AsRef::as_ref)
    }

    #[must_use]
    pub fn plan(&self, name: &str) -> Option<&Plan> {
        self.plans.get(name).map(AsRef::as_ref)
    }

    /// The APIs of this audience: a resource server may have several.
    pub fn apis_of<'a>(&'a self, audience: &'a str) -> impl Iterator<Item = &'a Api> {
        self.apis.values().map(AsRef::as_ref).filter(move |api| api.audience.as_str() == audience)
    }

    /// The APIs that a grant covers.
    pub fn covered<'a>(&'a self, grant: &'a Grant) -> impl Iterator<Item = &'a Api> {
        let planned =
            |api: &Api| grant.plans.is_empty() || self.plans_of(grant).any(|plan| plan.covers(api.name.as_str()));
        grant.apis.iter().filter_map(|name| self.api(name)).filter(move |api| planned(api))
    }

    /// Whether a grant covers the API of this name.
    #[must_use]
    pub fn covers(&self, grant: &Grant, api: &str) -> bool {
        self.covered(grant).any(|covered| covered.name.as_str() == api)
    }

    /// The plans of a grant.
    pub fn plans_of<'a>(&'a self, grant: &'a Grant) -> impl Iterator<Item = &'a Plan> {
        grant.plans.iter().filter_map(|name| self.plan(name))
    }

    /// The plans of a grant that limit a validation that names these APIs.
    pub fn limits<'a>(&'a self, grant: &'a Grant, named: &'a [String]) -> impl Iterator<Item = &'a Plan> {
        self.plans_of(grant).filter(|plan| plan.covers_all() || named.iter().any(|api| plan.covers(api)))
    }

    /// Approximate size in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let apis = self.apis.values().map(|api| {
            let scopes: usize = api.scopes.words().map(|word| word.len() + 16).sum();
            size_of::<Api>() + 2 * api.name.as_str().len() + api.audience.as_str().len() + scopes
        });
        let plans = self.plans.values().map(|plan| {
            let apis: usize = plan.apis.iter().map(|name| name.as_str().len() + 16).sum();
            size_of::<Plan>() + 2 * plan.name.as_str().len() + apis
        });
        size_of::<Self>() + apis.sum::<usize>() + plans.sum::<usize>()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::grant::tests::grant;
    use crate::domain::ids::{ApiId, PlanId, WorkspaceId};
    use crate::domain::lifetime::Lifetime;
    use crate::domain::plan::Quota;

    pub(crate) fn api(name: &str) -> Api {
        Api {
            id: ApiId::from_bytes([1; 16]),
            workspace: WorkspaceId::from_bytes([1; 16]),
            name: name.parse().unwrap(),
            audience: format!("https://{name}.test").parse().unwrap(),
            scopes: "read write".parse().unwrap(),
            created_at: Timestamp::from_ms(1),
            version: 1,
        }
    }

    pub(crate) fn plan(name: &str, apis: &[&str]) -> Plan {
        Plan {
            id: PlanId::from_bytes([1; 16]),
            workspace: WorkspaceId::from_bytes([1; 16]),
            name: name.parse().unwrap(),
            quota: Quota::new(10, Lifetime::from_secs(60)).unwrap(),
            apis: apis.iter().map(|name| name.parse().unwrap()).collect(),
            created_at: Timestamp::from_ms(1),
            version: 1,
        }
    }

    fn catalog() -> Catalog {
        Catalog::new([api("orders"), api("bills")], [plan("all", &[]), plan("some", &["orders"])])
    }

    fn named(apis: &[&str], plans: &[&str]) -> Grant {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Grant { apis: owned(apis), plans: owned(plans), ..grant() }
    }

    #[test]
    fn a_grant_covers_the_apis_that_it_names_and_that_exist() {
        let grant = named(&["orders", "gone"], &[]);
        assert!(catalog().covers(&grant, "orders"));
        assert!(!catalog().covers(&grant, "gone"));
        assert!(!catalog().covers(&grant, "bills"));
    }

    #[test]
    fn with_plans_it_covers_what_one_of_them_covers_too() {
        let covers = |plans: &[&str], api| catalog().covers(&named(&["orders", "bills"], plans), api);
        assert!(covers(&["some"], "orders") && !covers(&["some"], "bills"));
        assert!(covers(&["some", "all"], "bills"));
        assert!(!covers(&["gone"], "orders"), "what only a deleted plan covered is not covered");
    }

    #[test]
    fn a_plan_of_some_apis_limits_validations_that_name_one_of_them() {
        let limits = |plans: &[&str], named_apis: &[&str]| -> Vec<String> {
            let named_apis: Vec<String> = named_apis.iter().map(|name| (*name).to_owned()).collect();
            let (catalog, grant) = (catalog(), named(&["orders", "bills"], plans));
            catalog.limits(&grant, &named_apis).map(|plan| plan.name.to_string()).collect()
        };
        assert_eq!(limits(&["some"], &[]), [""; 0]);
        assert_eq!(limits(&["some"], &["bills"]), [""; 0]);
        assert_eq!(limits(&["some", "all"], &["bills", "orders"]), ["some", "all"]);
        assert_eq!(limits(&["all", "gone"], &[]), ["all"]);
        assert_eq!(limits(&[], &["orders"]), [""; 0]);
    }

    #[test]
    fn a_scope_counts_for_an_api_that_defines_it_or_defines_none() {
        assert!(api("orders").takes_scope("read") && !api("orders").takes_scope("admin"));
        assert!(Api { scopes: crate::domain::scope::Scopes::default(), ..api("orders") }.takes_scope("admin"));
    }
}

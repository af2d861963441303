//! Owns what a route asks of a valid token: scopes, APIs, workspaces.

use crate::refusal::Refusal;
use crate::validator::{Inactive, TokenView};

/// What a token must cover: all of the scopes, all of the APIs, and each named workspace.
///
/// ```
/// use jeton_guard::Requirement;
///
/// let requirement = Requirement::none().workspace("acme").scope("orders:read").api("orders");
/// assert_eq!(requirement.scopes(), ["orders:read"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    scopes: Vec<String>,
    apis: Vec<String>,
    workspaces: Vec<String>,
}

impl Requirement {
    /// Any valid token will do.
    pub fn none() -> Self {
        Self::default()
    }

    /// Also requires a scope.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Also requires that the token covers an API, by its name.
    #[must_use]
    pub fn api(mut self, api: impl Into<String>) -> Self {
        self.apis.push(api.into());
        self
    }

    /// Also requires that the token belongs to a workspace. A token belongs to exactly one, so two names that differ can't
    /// be met.
    #[must_use]
    pub fn workspace(mut self, workspace: impl Into<String>) -> Self {
        self.workspaces.push(workspace.into());
        self
    }

    /// Whether any valid token will do.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.apis.is_empty() && self.workspaces.is_empty()
    }

    /// The required scopes, in the order in which they were added.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The required APIs, in the order in which they were added.
    pub fn apis(&self) -> &[String] {
        &self.apis
    }

    /// Checks a valid token. Where APIs are required, a scope that none of them takes is lacking.
    ///
    /// # Errors
    ///
    /// In this order: [`Refusal::InvalidToken`] for a token of another workspace, which must not learn what else is
    /// required; [`Refusal::InsufficientScope`] with all required scopes if one is lacking, and with none if an API is.
    pub fn check(&self, token: &impl TokenView) -> Result<(), Refusal> {
        let workspace = token.workspace();
        if self.workspaces.iter().any(|required| required != workspace) {
            return Err(Refusal::InvalidToken(Inactive::OtherWorkspace));
        }
        if !self.scopes.iter().all(|scope| token.has_scope(scope)) {
            let scope = self.scopes.join(" ");
            return Err(Refusal::InsufficientScope { scope });
        }
        if !self.apis.iter().all(|api| token.covers_api(api)) {
            let scope = String::new();
            return Err(Refusal::InsufficientScope { scope });
        }
        let taken =
            |scope: &String| self.apis.is_empty() || self.apis.iter().any(|api| token.api_takes_scope(api, scope));
        if !self.scopes.iter().all(taken) {
            let scope = String::new();
            return Err(Refusal::InsufficientScope { scope });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Token;

    impl TokenView for Token {
        fn has_scope(&self, scope: &str) -> bool {
            ["orders:read", "orders:write"].contains(&scope)
        }

        fn covers_api(&self, api: &str) -> bool {
            api == "orders"
        }

        fn api_takes_scope(&self, _: &str, scope: &str) -> bool {
            scope == "orders:read"
        }

        fn workspace(&self) -> &str {
            "acme"
        }
    }

    fn lacking(scope: &str) -> Result<(), Refusal> {
        let scope = scope.to_owned();
        Err(Refusal::InsufficientScope { scope })
    }

    #[test]
    fn no_requirement_takes_any_token() {
        assert!(Requirement::none().is_empty());
        assert_eq!(Requirement::none().check(&Token), Ok(()));
    }

    #[test]
    fn a_token_that_covers_everything_is_accepted() {
        let requirement = Requirement::none().scope("orders:read").api("orders").workspace("acme").workspace("acme");
        assert!(!requirement.is_empty());
        assert_eq!(requirement.check(&Token), Ok(()));
    }

    #[test]
    fn a_lacking_scope_names_all_that_are_required() {
        let requirement = Requirement::none().scope("orders:read").scope("admin");
        assert_eq!(requirement.check(&Token), lacking("orders:read admin"));
    }

    #[test]
    fn a_lacking_api_names_no_scope() {
        let requirement = Requirement::none().scope("orders:read").api("orders").api("bills");
        assert_eq!(requirement.check(&Token), lacking(""));
    }

    #[test]
    fn a_scope_that_no_required_api_takes_is_not_helped_by_another_scope() {
        assert_eq!(Requirement::none().scope("orders:write").check(&Token), Ok(()));
        let requirement = Requirement::none().scope("orders:write").api("orders");
        assert_eq!(requirement.check(&Token), lacking(""));
    }

    #[test]
    fn each_named_workspace_must_hold() {
        let requirement = Requirement::none().workspace("acme").workspace("globex");
        assert_eq!(requirement.check(&Token), Err(Refusal::InvalidToken(Inactive::OtherWorkspace)));
    }

    #[test]
    fn another_workspace_is_told_before_a_lacking_scope() {
        let requirement = Requirement::none().scope("admin").workspace("globex");
        assert_eq!(requirement.check(&Token), Err(Refusal::InvalidToken(Inactive::OtherWorkspace)));
    }
}

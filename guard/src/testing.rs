//! Owns the double that stands in for a token service in the tests of those who use the guard (feature `testing`).

use std::collections::HashMap;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::introspection::Introspection;
use crate::validator::{Inactive, Outcome, Unavailable, Validator};

/// A validator that knows the tokens that a test has given it. Clones know the same, and learn what one of them is told.
///
/// ```
/// use jeton_guard::testing::TestTokens;
/// use jeton_guard::{Inactive, Outcome, Validator};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let tokens = TestTokens::new().with("good", "orders:read orders:write");
/// assert!(matches!(tokens.validate("good").await, Outcome::Active(_)));
/// assert!(matches!(tokens.validate("other").await, Outcome::Inactive(Inactive::Unproven)));
///
/// tokens.refuse("good", Inactive::Revoked);
/// assert!(matches!(tokens.validate("good").await, Outcome::Inactive(Inactive::Revoked)));
///
/// tokens.set_outage(true);
/// assert!(matches!(tokens.validate("good").await, Outcome::Unavailable(_)));
/// # }
/// ```
#[derive(Clone, Default)]
pub struct TestTokens(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    tokens: HashMap<String, Result<Introspection, Inactive>>,
    outage: bool,
}

/// When to come back during an outage.
const RETRY_AFTER_S: u32 = 1;

impl TestTokens {
    /// Knows none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows one more, of the workspace `default`, with these scopes (separated by spaces). Its `sub` is its string.
    #[must_use]
    pub fn with(self, token: &str, scope: &str) -> Self {
        let introspection = Introspection {
            active: true,
            token_type: Some("Bearer".to_owned()),
            scope: Some(scope.to_owned()),
            sub: Some(token.to_owned()),
            workspace: Some("default".to_owned()),
            ..Introspection::default()
        };
        self.with_introspection(token, introspection)
    }

    /// Knows one more, of which a Jeton server would say this.
    ///
    /// ```
    /// use jeton_guard::testing::TestTokens;
    /// use jeton_guard::{Introspection, Outcome, TokenView, Validator};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let of_orders = Introspection {
    ///     active: true,
    ///     token_type: Some("Bearer".to_owned()),
    ///     apis: vec!["orders".to_owned()],
    ///     ..Introspection::default()
    /// };
    /// let tokens = TestTokens::new().with_introspection("good", of_orders);
    /// assert!(matches!(tokens.validate("good").await, Outcome::Active(token) if token.covers_api("orders")));
    /// # }
    /// ```
    #[must_use]
    pub fn with_introspection(self, token: &str, introspection: Introspection) -> Self {
        self.known().tokens.insert(token.to_owned(), Ok(introspection));
        self
    }

    /// From now on refuses this token, for this reason.
    pub fn refuse(&self, token: &str, reason: Inactive) {
        self.known().tokens.insert(token.to_owned(), Err(reason));
    }

    /// Whether nobody can tell about any token.
    pub fn set_outage(&self, outage: bool) {
        self.known().outage = outage;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Validator for TestTokens {
    type Token = Introspection;
    type Future = Ready<Outcome<Introspection>>;

    fn validate(&self, token: &str) -> Self::Future {
        let known = self.known();
        if known.outage {
            return ready(Outcome::Unavailable(Unavailable { retry_after_s: RETRY_AFTER_S }));
        }
        ready(match known.tokens.get(token) {
            Some(Ok(introspection)) => introspection.clone().into_outcome(),
            Some(Err(reason)) => Outcome::Inactive(*reason),
            None => Outcome::Inactive(Inactive::Unproven),
        })
    }
}

impl fmt::Debug for TestTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestTokens").field("outage", &self.known().outage).finish_non_exhaustive()
    }
}

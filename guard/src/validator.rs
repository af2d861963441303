//! Owns what a service must bring to have tokens checked: the validator, its outcomes, and the view of a valid token.

use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::requirement::Requirement;

/// What a validator says of a token.
///
/// ```
/// use jeton_guard::{Inactive, Outcome, Refusal};
///
/// assert_eq!(Outcome::Active("ada").into_result(), Ok("ada"));
/// let refused = Outcome::<&str>::Inactive(Inactive::Revoked).into_result();
/// assert_eq!(refused, Err(Refusal::InvalidToken(Inactive::Revoked)));
/// ```
#[derive(Debug)]
pub enum Outcome<T> {
    /// The token is good now.
    Active(T),
    /// The token is refused: 401 `invalid_token`.
    Inactive(Inactive),
    /// Nobody can say: 503, never 401.
    Unavailable(Unavailable),
}

impl<T> Outcome<T> {
    /// The token, for a `?` in code that checks tokens without the middleware.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidToken`] and [`Refusal::Unavailable`].
    pub fn into_result(self) -> Result<T, Refusal> {
        match self {
            Self::Active(token) => Ok(token),
            Self::Inactive(inactive) => Err(Refusal::InvalidToken(inactive)),
            Self::Unavailable(unavailable) => Err(Refusal::Unavailable(unavailable)),
        }
    }
}

/// Why a token is refused, as far as its bearer may learn it.
///
/// All but [`Unproven`](Self::Unproven) and [`OtherWorkspace`](Self::OtherWorkspace) are told to the caller, so a validator
/// answers with them only once the caller has proven to hold the real secret. A guess must learn nothing.
///
/// ```
/// use jeton_guard::Inactive;
///
/// assert_eq!(Inactive::Revoked.description(), "The access token has been revoked.");
/// // Who has proven nothing learns nothing.
/// assert_eq!(Inactive::OtherWorkspace.description(), Inactive::Unproven.description());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inactive {
    /// Unknown, malformed or forged: the caller has proven nothing.
    Unproven,
    /// Past its end.
    Expired,
    /// Revoked by its owner, an admin or a protocol rule.
    Revoked,
    /// Disabled; final, as a revocation is.
    Disabled,
    /// Of another workspace. The caller reads the same as for [`Unproven`](Self::Unproven).
    OtherWorkspace,
}

impl Inactive {
    /// One sentence for the caller, in the characters that `error_description` may have.
    pub fn description(self) -> &'static str {
        match self {
            Self::Unproven | Self::OtherWorkspace => "The access token is not valid.",
            Self::Expired => "The access token has expired.",
            Self::Revoked => "The access token has been revoked.",
            Self::Disabled => "The access token is disabled.",
        }
    }
}

/// The store or server that knows the token can't answer.
///
/// ```
/// use jeton_guard::{Outcome, Refusal, Unavailable};
///
/// let outage = Unavailable { retry_after_s: 2 };
/// assert_eq!(Outcome::<()>::Unavailable(outage).into_result(), Err(Refusal::Unavailable(outage)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// When to try again, in seconds: the `Retry-After` of the 503.
    pub retry_after_s: u32,
}

/// Decides on token strings. A clone is a handle to the same validator.
///
/// The example in the [crate docs](crate) implements one.
///
/// ```
/// use std::future::{Ready, ready};
///
/// use jeton_guard::{Outcome, TokenView, Validator};
///
/// #[derive(Clone)]
/// struct Anybody;
///
/// impl TokenView for Anybody {
///     fn has_scope(&self, scope: &str) -> bool {
///         scope == "orders:read"
///     }
///     fn covers_api(&self, _: &str) -> bool {
///         false
///     }
///     fn workspace(&self) -> &str {
///         "acme"
///     }
/// }
///
/// /// Takes every token: for a machine that nobody else reaches.
/// #[derive(Clone)]
/// struct Everything;
///
/// impl Validator for Everything {
///     type Token = Anybody;
///     type Future = Ready<Outcome<Anybody>>;
///
///     fn validate(&self, _: &str) -> Self::Future {
///         ready(Outcome::Active(Anybody))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(matches!(Everything.validate("jtn_a_1").await, Outcome::Active(_)));
/// # }
/// ```
pub trait Validator: Clone + Send + Sync + 'static {
    /// A valid token, as the service behind the guard finds it in the request's extensions. Cloning should be cheap.
    type Token: TokenView + Clone + Send + Sync + 'static;

    /// The decision. It does not borrow the token string: what it needs beyond the call, it copies or digests first.
    type Future: Future<Output = Outcome<Self::Token>> + Send;

    /// Decides whether the token is good at this moment. The string is well-formed (a `b64token` of at most
    /// [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES) bytes) and not yet trusted.
    fn validate(&self, token: &str) -> Self::Future;

    /// Counts a request against the limits of the token's plans, and tells where it stands with them: the answer of the
    /// service gets the `RateLimit` fields. It is called once for each request whose token is good and covers what is
    /// required, right before the service is called, and must not block. Without limits there is nothing to do, which is the
    /// default.
    ///
    /// # Errors
    ///
    /// The refusal to answer with, normally [`Refusal::LimitExceeded`].
    fn admit(&self, token: &Self::Token, requirement: &Requirement) -> Result<Limits, Refusal> {
        let _ = (token, requirement);
        Ok(Limits::none())
    }
}

/// What a [`Requirement`] asks of a valid token.
///
/// ```
/// use jeton_guard::{Introspection, Requirement, TokenView};
///
/// let token: Introspection = serde_json::from_str(r#"{"active": true, "scope": "orders:read", "workspace": "acme"}"#)?;
/// assert!(token.has_scope("orders:read") && !token.covers_api("orders"));
/// assert!(Requirement::none().scope("orders:read").workspace("acme").check(&token).is_ok());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait TokenView {
    /// Whether the token has this scope (one scope-token of RFC 6749 §3.3, compared byte for byte).
    fn has_scope(&self, scope: &str) -> bool;

    /// Whether the token's APIs and plans cover the API of this name.
    fn covers_api(&self, api: &str) -> bool;

    /// Whether a scope of the token counts for the API of this name, which the token covers. An API that defines no scopes
    /// takes all, which is the default.
    fn api_takes_scope(&self, api: &str, scope: &str) -> bool {
        let _ = (api, scope);
        true
    }

    /// The name of the workspace that the token belongs to.
    fn workspace(&self) -> &str;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_never_an_invalid_token() {
        let outcome: Outcome<()> = Outcome::Unavailable(Unavailable { retry_after_s: 2 });
        let refusal = outcome.into_result().unwrap_err();
        assert_eq!(refusal, Refusal::Unavailable(Unavailable { retry_after_s: 2 }));
    }

    #[test]
    fn a_token_of_another_workspace_reads_as_an_unknown_one() {
        assert_eq!(Inactive::OtherWorkspace.description(), Inactive::Unproven.description());
    }

    #[test]
    fn what_a_proven_caller_reads_tells_the_reasons_apart() {
        let mut seen: Vec<_> = [Inactive::Unproven, Inactive::Expired, Inactive::Revoked, Inactive::Disabled]
            .map(Inactive::description)
            .to_vec();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }
}

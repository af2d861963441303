//! Owns the reasons for which a request is refused, and their status, error code and sentence. The `WWW-Authenticate` header
//! is the challenge's, the response the responder's.

use std::fmt;

use http::StatusCode;

use crate::credential::Malformed;
use crate::limits::Limits;
use crate::validator::{Inactive, Unavailable};

/// Why a request is refused (RFC 6750 §3.1).
///
/// ```
/// use http::StatusCode;
/// use jeton_guard::{Inactive, Refusal, Unavailable};
///
/// let expired = Refusal::from(Inactive::Expired);
/// assert_eq!((expired.status(), expired.error()), (StatusCode::UNAUTHORIZED, Some("invalid_token")));
/// assert_eq!(expired.description(), Some("The access token has expired."));
///
/// // An outage is not the token's fault.
/// let outage = Refusal::from(Unavailable { retry_after_s: 2 });
/// assert_eq!((outage.status(), outage.retry_after_s()), (StatusCode::SERVICE_UNAVAILABLE, Some(2)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No credential was presented: 401 without an error code.
    Missing,
    /// The credential can't be read: 400 `invalid_request`.
    Malformed(Malformed),
    /// The token is not good: 401 `invalid_token`.
    InvalidToken(Inactive),
    /// The token is good, but does not cover the request: 403 `insufficient_scope`.
    InsufficientScope {
        /// The scopes that the request needs, separated by spaces. Empty if other scopes would not help, because an API or a
        /// plan does not cover it.
        scope: String,
    },
    /// The limit of the token's plan is used up: 429 (RFC 6585 §4).
    LimitExceeded {
        /// When the next request may come, in seconds.
        retry_after_s: u32,
        /// The limits that the request was counted against.
        limits: Limits,
    },
    /// Nobody can say whether the token is good: 503.
    Unavailable(Unavailable),
}

impl Refusal {
    /// The status of the response: 400, 401, 403, 429 or 503.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::InsufficientScope { .. } => StatusCode::FORBIDDEN,
            Self::LimitExceeded { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error code: one of RFC 6750 §3.1, `rate_limited` or `temporarily_unavailable`. `None` for
    /// [`Missing`](Self::Missing), of which that section wants no code.
    pub fn error(&self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::Malformed(_) => Some("invalid_request"),
            Self::InvalidToken(_) => Some("invalid_token"),
            Self::InsufficientScope { .. } => Some("insufficient_scope"),
            Self::LimitExceeded { .. } => Some("rate_limited"),
            Self::Unavailable(_) => Some("temporarily_unavailable"),
        }
    }

    /// One sentence for the caller, in the characters that `error_description` may have (RFC 6750 §3). `None` where
    /// [`error`](Self::error) is.
    pub fn description(&self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::Malformed(malformed) => Some(malformed.description()),
            Self::InvalidToken(inactive) => Some(inactive.description()),
            Self::InsufficientScope { scope } if scope.is_empty() => {
                Some("The access token does not cover this request.")
            }
            Self::InsufficientScope { .. } => Some("The access token lacks a scope that this request needs."),
            Self::LimitExceeded { .. } => Some("The limit of the plan is used up."),
            Self::Unavailable(_) => Some("The access token cannot be checked at the moment. Try again later."),
        }
    }

    /// The `Retry-After` of 429 and 503, in seconds (RFC 9110 §10.2.3).
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::LimitExceeded { retry_after_s, .. } | Self::Unavailable(Unavailable { retry_after_s }) => {
                Some(*retry_after_s)
            }
            Self::Missing | Self::Malformed(_) | Self::InvalidToken(_) | Self::InsufficientScope { .. } => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description().unwrap_or("No credential was presented."))
    }
}

impl std::error::Error for Refusal {}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Inactive> for Refusal {
    fn from(inactive: Inactive) -> Self {
        Self::InvalidToken(inactive)
    }
}

impl From<Unavailable> for Refusal {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each() -> Vec<Refusal> {
        let malformed = [Malformed::TwoCredentials, Malformed::Header, Malformed::InQuery];
        let inactive =
            [Inactive::Unproven, Inactive::Expired, Inactive::Revoked, Inactive::Disabled, Inactive::OtherWorkspace];
        let mut each = vec![
            Refusal::Missing,
            Refusal::InsufficientScope { scope: String::new() },
            Refusal::InsufficientScope { scope: "orders:read".to_owned() },
            Refusal::LimitExceeded { retry_after_s: 1, limits: Limits::none() },
            Refusal::Unavailable(Unavailable { retry_after_s: 1 }),
        ];
        each.extend(malformed.map(Refusal::from));
        each.extend(inactive.map(Refusal::from));
        each
    }

    #[test]
    fn only_a_missing_credential_has_no_code_and_no_sentence() {
        for refusal in each() {
            let missing = refusal == Refusal::Missing;
            assert_eq!(refusal.error().is_none(), missing, "{refusal:?}");
            assert_eq!(refusal.description().is_none(), missing, "{refusal:?}");
        }
    }

    #[test]
    fn each_sentence_has_only_the_characters_that_rfc_6750_allows() {
        for refusal in each() {
            let sentence = refusal.to_string();
            let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(sentence.bytes().all(allowed), "{sentence}");
        }
    }

    #[test]
    fn exactly_429_and_503_say_when_to_try_again() {
        for refusal in each() {
            let later = matches!(refusal.status().as_u16(), 429 | 503);
            assert_eq!(refusal.retry_after_s().is_some(), later, "{refusal:?}");
        }
    }
}

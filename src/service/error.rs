//! How a use case fails. What the caller may read and what the operator reads are two things.

use std::borrow::Cow;

use super::detail::Detail;
use super::password::PasswordFailure;
use crate::store::StoreError;

/// An error of the OAuth endpoints (RFC 6749 §5.2, RFC 8707 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    pub code: OAuthCode,
    /// For the developer who reads it. Visible ASCII without `"` and `\`.
    pub description: Cow<'static, str>,
}

/// The `error` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
}

impl OAuthCode {
    pub const ALL: [Self; 7] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
        }
    }
}

impl OAuthError {
    pub fn new(code: OAuthCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into() }
    }
}

/// Why an OAuth use case has no answer.
#[derive(Debug, thiserror::Error)]
pub enum OAuthFailure {
    /// The caller's doing.
    #[error("{}: {}", .0.code.as_str(), .0.description)]
    Refused(OAuthError),
    /// The database's doing: a 503.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OAuthError> for OAuthFailure {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

/// Shorthand for a refusal.
pub(super) fn refused<T>(code: OAuthCode, description: impl Into<Cow<'static, str>>) -> Result<T, OAuthFailure> {
    Err(OAuthFailure::Refused(OAuthError::new(code, description)))
}

/// Why a REST use case has no answer; each becomes one problem document (RFC 9457).
#[derive(Debug, thiserror::Error)]
pub enum ApiFailure {
    /// Fields that can't be accepted, all of them.
    #[error("the request has fields that can't be accepted")]
    Invalid(Vec<FieldError>),
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("there is no {0} with this id")]
    NotFound(&'static str),
    #[error("{0}")]
    Conflict(Detail),
    /// It was there, and no longer is.
    #[error("{0}")]
    Gone(&'static str),
    #[error("an edit needs If-Match with the ETag of what it was made on")]
    PreconditionRequired,
    #[error("the resource was changed since: it is in version {current} now")]
    PreconditionFailed { current: i64 },
    /// The caller has done this too often; they are heard again after this many seconds.
    #[error("too many requests of this kind from this address")]
    Throttled { retry_after_s: u32 },
    #[error("this Idempotency-Key was used for another request within the last day")]
    KeyReused,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Password(#[from] PasswordFailure),
}

/// One field that can't be accepted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// RFC 6901, for instance `/lifetime`; `?name` for a parameter of the URL.
    #[schema(examples("/lifetime"))]
    pub pointer: String,
    #[schema(value_type = String)]
    pub detail: Detail,
}

impl FieldError {
    pub fn new(pointer: impl Into<String>, detail: impl Into<Detail>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

impl ApiFailure {
    pub(crate) fn field(pointer: &str, detail: impl Into<Detail>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, detail)])
    }
}

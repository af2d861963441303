//! Why a line of an upload is not imported.

use super::BadCredential;

/// One line's reason; the others go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Malformed(String),
    #[error("the line has more than {0} bytes")]
    TooLong(usize),
    #[error(transparent)]
    Credential(#[from] BadCredential),
    #[error("this is a token of this service itself")]
    OurOwn,
    #[error("user and client can't both be the owner")]
    TwoOwners,
    #[error("no user or client of the workspace has this name or id, and the import has no owner for such tokens")]
    UnknownOwner,
    #[error("the owner has a higher role than whoever imports")]
    OwnerAbove,
    #[error("scopes: {0}")]
    Scopes(String),
    #[error("name {0}")]
    Name(String),
    #[error("{0} lies in the future")]
    InFuture(&'static str),
    #[error("expires_at has passed already")]
    Ended,
    #[error("another import holds this token")]
    InUse,
    #[error("another row has the same hint, and a hint must tell one token from all others")]
    HintInUse,
}

impl Refusal {
    /// A word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLong(_) => "too_long",
            Self::Credential(BadCredential::HintMissing) => "hint_missing",
            Self::Credential(_) => "bad_credential",
            Self::OurOwn => "own_token",
            Self::TwoOwners => "two_owners",
            Self::UnknownOwner => "unknown_owner",
            Self::OwnerAbove => "owner_above",
            Self::Scopes(_) => "bad_scopes",
            Self::Name(_) => "bad_name",
            Self::InFuture(_) => "in_future",
            Self::Ended => "ended",
            Self::InUse => "in_use",
            Self::HintInUse => "hint_in_use",
        }
    }
}

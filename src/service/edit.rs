//! What edits have in common: the version that they were made on.

use super::error::ApiFailure;

/// The versions of a resource that an edit may be applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    Any,
    Versions(Vec<i64>),
}

impl IfMatch {
    #[must_use]
    pub fn covers(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }

    /// # Errors
    /// [`ApiFailure::PreconditionFailed`] when the resource has moved on.
    pub fn check(&self, version: i64) -> Result<(), ApiFailure> {
        if self.covers(version) { Ok(()) } else { Err(ApiFailure::PreconditionFailed { current: version }) }
    }
}

//! Tokens of an older system: imported, usable until a deadline, refused after it.

mod bcrypt;
mod foreign;
mod imports;
mod report;
mod rows;
mod upgrade;

use std::time::Duration;

pub use imports::{CreateImport, ImportView, UnmappedOwner};
pub use report::{Reach, StillUsed};
pub use rows::{GivenRow, GivenScopes, LineError, Summary, Upload};

use crate::domain::clock::Timestamp;

/// What this process has under way with imported tokens.
#[derive(Debug, Default)]
pub struct Desk {
    bcrypt: bcrypt::Checks,
    upgrades: upgrade::Upgrades,
}

/// What each use of an imported token is answered with beside the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Since when one should not use it (RFC 9745).
    pub deprecated_at: Timestamp,
    /// When it stops to work (RFC 8594).
    pub sunset: Timestamp,
    /// Where it says what to do instead.
    pub link: Option<String>,
}

/// What counts as recent where a revocation tells what it would reach.
const RECENT: Duration = Duration::from_secs(7 * 24 * 3600);

//! Forms that make a secret are taken once: a reload or a second click must neither make another nor show the first again.

use std::time::Duration;

use super::Service;
use super::error::ApiFailure;
use crate::domain::random_secret::{Purpose, RandomSecret, presented};
use crate::domain::secret::Secret;

/// What became of a form that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormUse {
    First,
    Again,
    /// It was never handed out.
    Unknown,
}

/// Longer than any session lasts by default: after it, the same form can only come from somebody who kept the page.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);

impl Service {
    /// The number of a new form.
    #[must_use]
    pub fn new_form(&self) -> Secret<String> {
        RandomSecret::draw(Purpose::Form, &self.entropy).text
    }

    /// Takes a form, if it was not taken before. What follows happens at most once.
    ///
    /// # Errors
    /// The store's.
    pub async fn use_form(&self, number: &str) -> Result<FormUse, ApiFailure> {
        let Some(digest) = presented(Purpose::Form, number) else {
            return Ok(FormUse::Unknown);
        };
        let now = self.clock.now();
        let first = self.store.use_console_form(digest, now, now.minus(REMEMBERED)).await?;
        Ok(if first { FormUse::First } else { FormUse::Again })
    }
}

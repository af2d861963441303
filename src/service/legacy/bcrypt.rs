//! Checks bcrypt hashes: away from the threads that serve, few at a time, and never many for one token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::domain::ids::TokenId;
use crate::domain::secret::Secret;
use crate::store::StoreError;

/// The checks that are under way. What does not fit is told to come back: no answer is guessed.
#[derive(Debug)]
pub(super) struct Checks {
    waiting: Semaphore,
    running: Arc<Semaphore>,
    of_row: Mutex<HashMap<TokenId, usize>>,
}

/// At the highest cost that is imported, the last of them waits for some seconds.
const WAITING: usize = 32;
/// Who guesses at one token must not keep the others from their first use.
const WAITING_OF_ROW: usize = 2;

impl Default for Checks {
    fn default() -> Self {
        // Half of the machine at most: it has other things to do.
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        Self { waiting: Semaphore::new(WAITING), running: Arc::new(Semaphore::new(cores)), of_row: Mutex::default() }
    }
}

impl Checks {
    /// Whether `secret` has this hash; `row` is whose hash it is.
    pub(super) async fn verify(&self, row: TokenId, secret: Secret<String>, hash: String) -> Result<bool, StoreError> {
        let _slot = self.waiting.try_acquire().ok().ok_or(StoreError::Overloaded)?;
        let _turn = Turn::take(self, row).ok_or(StoreError::Overloaded)?;
        let permit = Arc::clone(&self.running).acquire_owned().await.ok().ok_or(StoreError::Unavailable(None))?;
        let check = tokio::task::spawn_blocking(move || {
            // It is held to the end of the work, also when the caller has gone away.
            let _permit = permit;
            bcrypt::verify(secret.expose_secret(), &hash)
        });
        match check.await {
            Ok(Ok(matches)) => Ok(matches),
            Ok(Err(_)) => Err(StoreError::Corrupt("bcrypt hash")),
            Err(_) => Err(StoreError::Unavailable(None)),
        }
    }
}

/// One of the few places that a row has.
struct Turn<'c> {
    checks: &'c Checks,
    row: TokenId,
}

impl<'c> Turn<'c> {
    fn take(checks: &'c Checks, row: TokenId) -> Option<Self> {
        let mut of_row = checks.of_row.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = of_row.entry(row).or_default();
        if *taken == WAITING_OF_ROW {
            return None;
        }
        *taken += 1;
        Some(Self { checks, row })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut of_row = self.checks.of_row.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = of_row.get_mut(&self.row) {
            *taken -= 1;
            if *taken == 0 {
                of_row.remove(&self.row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn guesses_at_one_token_have_two_places_and_leave_the_others_alone() {
        let checks = Arc::new(Checks::default());
        let hash = bcrypt::hash("right", 4).unwrap();
        let (one, other) = (TokenId::from_bytes([1; 16]), TokenId::from_bytes([2; 16]));
        let first = Turn::take(&checks, one).unwrap();
        let _second = Turn::take(&checks, one).unwrap();
        let ask = |row, secret: &str| checks.verify(row, Secret::new(secret.to_owned()), hash.clone());
        assert!(matches!(ask(one, "right").await, Err(StoreError::Overloaded)));
        assert!(ask(other, "right").await.unwrap());
        assert!(!ask(other, "wrong").await.unwrap());
        drop(first);
        assert!(ask(one, "right").await.unwrap());
    }
}

//! Hashes and checks passwords: argon2id on threads of their own, a bounded number at a time, so that signing in can't
//! take the processors away from validation.

use std::fmt;
use std::sync::{Arc, OnceLock};

use argon2::Argon2;
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::domain::entropy::Entropy;
use crate::domain::password::Password;
use crate::domain::secret::Secret;

/// Hashes and checks. Cloning is cheap; all clones share the bound.
#[derive(Clone)]
pub struct Passwords(Arc<Shared>);

struct Shared {
    /// Those that compute.
    running: Semaphore,
    /// Those that compute or wait for it.
    admitted: Semaphore,
    /// What a password of nobody is compared with, so that it costs the same.
    decoy: OnceLock<String>,
}

/// Why a password could not be hashed or checked. Says nothing about the password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordFailure {
    #[error("too many people sign in at the same moment")]
    Busy,
    #[error("a password could not be hashed or a stored hash not be read")]
    Hash(#[source] password_hash::Error),
}

/// Each computes for tens of milliseconds; longer queues would be answered after their callers have gone.
const MAX_WAITING: usize = 64;

impl Passwords {
    /// Half of the processors may compute hashes, at least one.
    #[must_use]
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let running = (processors / 2).max(1);
        Self(Arc::new(Shared {
            running: Semaphore::new(running),
            admitted: Semaphore::new(running + MAX_WAITING),
            decoy: OnceLock::new(),
        }))
    }

    /// The text to store of a new password.
    ///
    /// # Errors
    /// [`PasswordFailure`].
    pub async fn hash(&self, password: Password, entropy: &Entropy) -> Result<String, PasswordFailure> {
        let salt: [u8; 16] = entropy.secret();
        self.compute(move |_| hash(password.into_secret().expose_secret().as_bytes(), &salt)).await
    }

    /// Whether `password` is the one that `hash` was made of. False, at the same cost, where there is no hash.
    ///
    /// # Errors
    /// [`PasswordFailure`].
    pub async fn matches(&self, password: Secret<String>, hash: Option<String>) -> Result<bool, PasswordFailure> {
        self.compute(move |shared| {
            let stored = match &hash {
                Some(stored) => stored,
                None => shared.decoy()?,
            };
            match Argon2::default().verify_password(password.expose_secret().as_bytes(), stored.as_str()) {
                Ok(()) => Ok(hash.is_some()),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(PasswordFailure::Hash(error)),
            }
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, PasswordFailure> + Send + 'static,
    ) -> Result<T, PasswordFailure> {
        let Ok(_admitted) = self.0.admitted.try_acquire() else {
            return Err(PasswordFailure::Busy);
        };
        let Ok(_running) = self.0.running.acquire().await else {
            return Err(PasswordFailure::Busy);
        };
        let shared = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&shared)).await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl Shared {
    fn decoy(&self) -> Result<&String, PasswordFailure> {
        if let Some(decoy) = self.decoy.get() {
            return Ok(decoy);
        }
        let made = hash(b"nobody has this password", b"nor is this salt secret")?;
        Ok(self.decoy.get_or_init(|| made))
    }
}

fn hash(password: &[u8], salt: &[u8]) -> Result<String, PasswordFailure> {
    let hash = Argon2::default().hash_password_with_salt(password, salt).map_err(PasswordFailure::Hash)?;
    Ok(hash.to_string())
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_password_that_was_set_matches_and_nobody_has_one() {
        let passwords = Passwords::new();
        let chosen = Password::choose(secret("correct horse")).unwrap();
        let stored = passwords.hash(chosen, &Entropy::seeded(1)).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.matches(secret("correct horse"), Some(stored.clone())).await.unwrap());
        assert!(!passwords.matches(secret("correct horsf"), Some(stored)).await.unwrap());
        assert!(!passwords.matches(secret("nobody has this password"), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_hash_that_cannot_be_read_is_a_failure_and_no_refusal() {
        let failed = Passwords::new().matches(secret("x"), Some("not a hash".to_owned())).await;
        assert!(matches!(failed, Err(PasswordFailure::Hash(_))));
    }

    #[tokio::test]
    async fn what_cannot_even_wait_is_told_so() {
        let passwords = Passwords::new();
        let _taken =
            passwords.0.admitted.try_acquire_many(u32::try_from(passwords.0.admitted.available_permits()).unwrap());
        assert!(matches!(passwords.matches(secret("x"), None).await, Err(PasswordFailure::Busy)));
    }
}

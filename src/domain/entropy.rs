//! Randomness as an injected capability.

use std::fmt;
use std::sync::{Arc, Mutex};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, SeedableRng, TryRng};

/// A source of random bytes. Cloning is cheap; all clones draw from the same source.
#[derive(Clone, Default)]
pub struct Entropy(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Entropy {
    /// The operating system's generator.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A repeatable stream, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// Bytes for secrets, keys and nonces: from the operating system, every time.
    ///
    /// # Panics
    /// When the operating system has no random bytes to give: nothing may be issued then.
    #[must_use]
    pub fn secret<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes"),
            Source::Seeded(rng) => fill_seeded(rng, &mut bytes),
        }
        bytes
    }

    /// Bytes for names that need to be unique, not secret (request ids): from a generator in the thread.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that uses the thread's generator")]
    pub fn unique<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => rand::rng().fill_bytes(&mut bytes),
            Source::Seeded(rng) => fill_seeded(rng, &mut bytes),
        }
        bytes
    }
}

fn fill_seeded(rng: &Mutex<StdRng>, bytes: &mut [u8]) {
    rng.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(bytes);
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Source::System => "Entropy::System",
            Source::Seeded(_) => "Entropy::Seeded",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        assert_eq!(Entropy::seeded(7).secret::<32>(), Entropy::seeded(7).secret::<32>());
        assert_ne!(Entropy::seeded(7).secret::<32>(), Entropy::seeded(8).secret::<32>());
    }

    #[test]
    fn the_system_source_does_not_repeat_itself() {
        assert_ne!(Entropy::system().secret::<32>(), Entropy::system().secret::<32>());
        assert_ne!(Entropy::system().unique::<16>(), Entropy::system().unique::<16>());
    }
}

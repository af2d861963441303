//! What a person may choose as a password.

use super::secret::Secret;

/// A password that was long enough when it was set. Never printed.
#[derive(Clone, Debug)]
pub struct Password(Secret<String>);

/// Why a text can't be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    #[error("needs at least {MIN_CHARS} characters")]
    TooShort,
    #[error("has at most {MAX_CHARS} characters")]
    TooLong,
    #[error("needs more than {MAX_REPEATS} different characters")]
    TooEven,
}

/// Shorter ones are guessed. Length is the only rule that helps (NIST SP 800-63B §3.1.1.2), so there is no other.
pub const MIN_CHARS: usize = 10;
/// Room for any sentence; a bound, because each one costs a hash.
pub const MAX_CHARS: usize = 256;
/// `aaaaaaaaaa` and `1212121212` are not long.
const MAX_REPEATS: usize = 2;

impl Password {
    /// # Errors
    /// [`BadPassword`].
    pub fn choose(text: Secret<String>) -> Result<Self, BadPassword> {
        let chars = text.expose_secret().chars();
        let count = chars.clone().take(MAX_CHARS + 1).count();
        let mut different: Vec<char> = chars.take(MAX_CHARS).collect();
        different.sort_unstable();
        different.dedup();
        match count {
            ..MIN_CHARS => Err(BadPassword::TooShort),
            count if count > MAX_CHARS => Err(BadPassword::TooLong),
            _ if different.len() <= MAX_REPEATS => Err(BadPassword::TooEven),
            _ => Ok(Self(text)),
        }
    }

    #[must_use]
    pub fn into_secret(self) -> Secret<String> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_what_counts() {
        let choose = |text: &str| Password::choose(Secret::new(text.to_owned())).map(drop);
        assert_eq!(choose("ten chars!"), Ok(()));
        assert_eq!(choose("caf\u{e9} au lait"), Ok(()));
        assert_eq!(choose("nine char"), Err(BadPassword::TooShort));
        assert_eq!(choose(&"ab c".repeat(64)), Ok(()));
        assert_eq!(choose(&"ab c".repeat(65)), Err(BadPassword::TooLong));
        assert_eq!(choose("aaaaaaaaaaaaaaaa"), Err(BadPassword::TooEven));
    }
}

//! Secrets that cannot be printed, and digests, the only form of a secret that is stored.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A value that must not be logged, printed or serialized. It is wiped when dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself: for the one answer that shows it, and for computing digests.
    #[must_use]
    pub fn expose_secret(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{}>", std::any::type_name::<T>())
    }
}

/// HMAC-SHA256 of a secret under the digest key. Compared in constant time only.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both digests are equal, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_the_type_and_not_the_value() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret<alloc::string::String>");
        assert_eq!(format!("{:?}", Digest::new([7; 32])), "Digest");
    }

    #[test]
    fn digests_match_only_when_every_byte_is_equal() {
        let digest = Digest::new([1; 32]);
        let mut other = [1; 32];
        assert!(digest.matches(&Digest::new(other)));
        other[31] = 2;
        assert!(!digest.matches(&Digest::new(other)));
    }
}

//! Fixed-width base62: 64-bit limbs as 11 digits each. Order is kept: a larger number is a larger string.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const INVALID: u8 = 0xff;
const VALUES: [u8; 256] = values();

/// Digits of one 64-bit limb: 62^11 > 2^64.
pub const LIMB_DIGITS: usize = 11;

/// Appends `limb` to `out` as 11 digits.
pub fn push_limb(out: &mut String, mut limb: u64) {
    let mut digits = [0; LIMB_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(limb % 62) as usize];
        limb /= 62;
    }
    for digit in digits {
        out.push(char::from(digit));
    }
}

/// Reads one limb from exactly 11 digits; `None` for another character or a number above 64 bits,
/// so that each limb has exactly one spelling.
#[must_use]
pub fn read_limb(digits: &[u8; LIMB_DIGITS]) -> Option<u64> {
    let (last, head) = digits.split_last()?;
    let (mut value, mut seen) = (0u64, 0u8);
    for &digit in head {
        let digit = VALUES[usize::from(digit)];
        seen |= digit;
        value = value * 62 + u64::from(digit); // ten of them, each at most 255: cannot overflow
    }
    let last = VALUES[usize::from(*last)];
    // Every value is below 64: one that is not is no digit.
    ((seen | last) < 64).then(|| value.checked_mul(62)?.checked_add(u64::from(last))).flatten()
}

/// Appends 16 bytes as 22 digits.
pub fn push_16(out: &mut String, bytes: &[u8; 16]) {
    let number = u128::from_be_bytes(*bytes);
    push_limb(out, (number >> 64) as u64);
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    push_limb(out, number as u64);
}

/// Reads 16 bytes from exactly 22 digits.
#[must_use]
pub fn read_16(digits: &[u8]) -> Option<[u8; 16]> {
    let (high, rest) = digits.split_first_chunk::<LIMB_DIGITS>()?;
    let low: &[u8; LIMB_DIGITS] = rest.try_into().ok()?;
    Some(((u128::from(read_limb(high)?) << 64) | u128::from(read_limb(low)?)).to_be_bytes())
}

const fn values() -> [u8; 256] {
    let mut table = [INVALID; 256];
    let mut index = 0;
    while index < ALPHABET.len() {
        #[expect(clippy::cast_possible_truncation, reason = "index < 62")]
        {
            table[ALPHABET[index] as usize] = index as u8;
        }
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limb(text: &str) -> Option<u64> {
        read_limb(text.as_bytes().try_into().unwrap())
    }

    #[test]
    fn the_largest_limb_has_one_spelling_and_the_next_number_none() {
        let mut text = String::new();
        push_limb(&mut text, u64::MAX);
        assert_eq!(text, "LygHa16AHYF");
        assert_eq!(limb(&text), Some(u64::MAX));
        assert_eq!(limb("LygHa16AHYG"), None);
        assert_eq!(limb("zzzzzzzzzzz"), None);
        assert_eq!(limb("0000000000-"), None);
    }

    proptest! {
        #[test]
        fn limbs_round_trip_and_keep_their_order(a: u64, b: u64) {
            let (mut left, mut right) = (String::new(), String::new());
            push_limb(&mut left, a);
            push_limb(&mut right, b);
            prop_assert_eq!(limb(&left), Some(a));
            prop_assert_eq!(a.cmp(&b), left.cmp(&right));
        }

        #[test]
        fn sixteen_bytes_round_trip(bytes: [u8; 16]) {
            let mut text = String::new();
            push_16(&mut text, &bytes);
            prop_assert_eq!(text.len(), 22);
            prop_assert_eq!(read_16(text.as_bytes()), Some(bytes));
        }
    }
}

//! Owns the look for a token in a query string, where none may stand.

/// The parameter that RFC 6750 §2.3 names and that this crate refuses.
const ACCESS_TOKEN: &[u8] = b"access_token";

/// Whether a parameter is named `access_token`, compared byte for byte after percent-decoding.
pub(crate) fn names_access_token(query: &str) -> bool {
    query.split('&').any(|pair| {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        Decoded(name.as_bytes()).eq(ACCESS_TOKEN.iter().copied())
    })
}

/// Decodes while it iterates, so that the check allocates nothing. A `%` without two hex digits stands for itself.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if let [b'%', high, low, rest @ ..] = self.0
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            self.0 = rest;
            return Some(high << 4 | low);
        }
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_found_at_any_place() {
        for query in ["access_token=x", "access_token=", "access_token", "a=1&access_token=x", "a&&access_token=x&b"] {
            assert!(names_access_token(query), "{query}");
        }
    }

    #[test]
    fn the_name_is_compared_after_percent_decoding() {
        for query in
            ["access%5Ftoken=x", "access%5ftoken=x", "%61ccess_toke%6E=x", "b=%zz&%61%63%63%65%73%73%5f%74%6f%6b%65%6e"]
        {
            assert!(names_access_token(query), "{query}");
        }
    }

    #[test]
    fn another_name_is_left_alone() {
        for query in [
            "",
            "a=access_token",
            "a=%26access_token",
            "Access_Token=x",
            "access_token2=x",
            "my_access_token=x",
            "access%255Ftoken=x",
            "access_toke%6=x",
            "access_toke%",
        ] {
            assert!(!names_access_token(query), "{query}");
        }
    }
}

//! Owns the `RateLimit` and `RateLimit-Policy` fields (draft-ietf-httpapi-ratelimit-headers-10): what a caller is told of
//! its limits, with answers and with refusals. Counting is the validator's.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};

static RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Where a token stands with one limit, after a request was counted.
///
/// ```
/// use jeton_guard::{Limit, Limits};
///
/// let gold = Limit { policy: "gold".to_owned(), quota: 100, window_s: 60, remaining: 0, reset_s: 12 };
/// let limits = Limits::from_iter([gold]);
/// assert!(limits.iter().any(|limit| limit.remaining == 0));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The name of the limit: a plan's.
    pub policy: String,
    /// How many requests it allows.
    pub quota: u32,
    /// In how much time, in seconds.
    pub window_s: u32,
    /// How many are left now.
    pub remaining: u32,
    /// When all of them are there again, in seconds.
    pub reset_s: u32,
}

/// The limits that a request was counted against; none for most tokens, which costs nothing.
///
/// ```
/// use http::HeaderMap;
/// use jeton_guard::{Limit, Limits};
///
/// let gold = Limit { policy: "gold".to_owned(), quota: 100, window_s: 60, remaining: 99, reset_s: 1 };
/// let mut headers = HeaderMap::new();
/// Limits::from_iter([gold]).write(&mut headers);
/// assert_eq!(headers["ratelimit-policy"], "\"gold\";q=100;w=60");
/// assert_eq!(headers["ratelimit"], "\"gold\";r=99;t=1");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(Vec<Limit>);

impl Limits {
    /// The token is not limited.
    pub fn none() -> Self {
        Self::default()
    }

    /// Each limit, in the order in which it was counted.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.0.iter()
    }

    /// Sets both fields, or leaves the headers alone where there is no limit.
    pub fn write(&self, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        let (mut policies, mut states) = (String::new(), String::new());
        for limit in &self.0 {
            let separator = if policies.is_empty() { "" } else { ", " };
            let name = quoted(&limit.policy);
            let written = write!(policies, "{separator}{name};q={};w={}", limit.quota, limit.window_s)
                .and_then(|()| write!(states, "{separator}{name};r={};t={}", limit.remaining, limit.reset_s));
            written.expect("a String takes everything");
        }
        for (name, value) in [(&RATELIMIT_POLICY, policies), (&RATELIMIT, states)] {
            headers
                .insert(name, HeaderValue::try_from(value).expect("names are quoted, the rest is literal or digits"));
        }
    }
}

impl FromIterator<Limit> for Limits {
    fn from_iter<I: IntoIterator<Item = Limit>>(limits: I) -> Self {
        Self(limits.into_iter().collect())
    }
}

impl Extend<Limit> for Limits {
    fn extend<I: IntoIterator<Item = Limit>>(&mut self, limits: I) {
        self.0.extend(limits);
    }
}

/// An `sf-string` (RFC 9651 §3.3.3), less what it can't hold.
fn quoted(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for char in name.chars().filter(|char| matches!(char, ' '..='~')) {
        if matches!(char, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(policy: &str) -> Limit {
        Limit { policy: policy.to_owned(), quota: 10, window_s: 60, remaining: 3, reset_s: 42 }
    }

    #[test]
    fn several_limits_are_lists_in_one_order() {
        let mut headers = HeaderMap::new();
        Limits::from_iter([limit("a"), limit("b")]).write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"a\";q=10;w=60, \"b\";q=10;w=60");
        assert_eq!(headers["ratelimit"], "\"a\";r=3;t=42, \"b\";r=3;t=42");
    }

    #[test]
    fn without_a_limit_nothing_is_said() {
        let mut headers = HeaderMap::new();
        Limits::none().write(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn no_name_breaks_out_of_its_quotes_or_of_the_header() {
        let mut headers = HeaderMap::new();
        Limits::from_iter([limit("a\"b\\c\r\nx: \u{e9}")]).write(&mut headers);
        assert_eq!(headers["ratelimit"], "\"a\\\"b\\\\cx: \";r=3;t=42");
    }
}

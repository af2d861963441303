//! A length of time as people write it: `90s`, `30m`, `6h`, `365d`, or a whole number of seconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A whole number of seconds, at most [`Lifetime::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(u32);

impl Lifetime {
    /// 100 years: far below where sums of milliseconds could overflow.
    pub const MAX: Self = Self(100 * 365 * DAY);

    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds)
    }

    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// A text or number that is not a lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a lifetime: write a whole number of seconds, or a number with s, m, h or d, up to 36500d")]
pub struct NotALifetime;

impl FromStr for Lifetime {
    type Err = NotALifetime;

    fn from_str(text: &str) -> Result<Self, NotALifetime> {
        let digits = text.trim_end_matches(['s', 'm', 'h', 'd']);
        let factor = match &text[digits.len()..] {
            "" | "s" => 1,
            "m" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            _ => return Err(NotALifetime),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotALifetime);
        }
        let number: u32 = digits.parse().ok().ok_or(NotALifetime)?;
        number.checked_mul(factor).map(Self).filter(|lifetime| *lifetime <= Self::MAX).ok_or(NotALifetime)
    }
}

/// The largest unit that divides it: `6h`, `90s`.
impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0;
        for (unit, letter) in [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')] {
            if seconds != 0 && seconds.is_multiple_of(unit) {
                return write!(f, "{}{letter}", seconds / unit);
            }
        }
        write!(f, "{seconds}s")
    }
}

impl Serialize for Lifetime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LifetimeVisitor)
    }
}

struct LifetimeVisitor;

impl Visitor<'_> for LifetimeVisitor {
    type Value = Lifetime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of seconds or a text such as \"30m\", \"6h\" or \"365d\"")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Lifetime, E> {
        let seconds = u32::try_from(value).map(Lifetime).ok();
        seconds.filter(|lifetime| *lifetime <= Lifetime::MAX).ok_or_else(|| E::custom(NotALifetime))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Lifetime, E> {
        u64::try_from(value).or(Err(E::custom(NotALifetime))).and_then(|value| self.visit_u64(value))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Lifetime, E> {
        Err(E::custom(NotALifetime))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Lifetime, E> {
        text.parse().map_err(E::custom)
    }
}

impl JsonSchema for Lifetime {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Lifetime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "pattern": "^[0-9]+[smhd]?$", "minimum": 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_written_back_in_the_largest_that_fits() {
        for (text, seconds, shown) in [
            ("90s", 90, "90s"),
            ("1800", 1800, "30m"),
            ("30m", 1800, "30m"),
            ("6h", 21_600, "6h"),
            ("24h", 86_400, "1d"),
            ("365d", 31_536_000, "365d"),
            ("0", 0, "0s"),
        ] {
            let lifetime: Lifetime = text.parse().unwrap();
            assert_eq!((lifetime.as_secs(), lifetime.to_string().as_str()), (seconds, shown));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "h", "-1", "1.5h", "+5", " 5", "5 h", "6H", "1hh", "1h30m", "9223372036854775808", "36501d", "é"]
        {
            assert_eq!(text.parse::<Lifetime>(), Err(NotALifetime), "{text}");
        }
        for json in ["-1", "1.5", "9223372036854775808", "4294967296", "true", "null", "[]", "\"\""] {
            assert!(serde_json::from_str::<Lifetime>(json).is_err(), "{json}");
        }
    }
}

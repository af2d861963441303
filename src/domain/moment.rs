//! A moment as callers write it: RFC 3339, or whole seconds since the epoch.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::clock::Timestamp;

/// A moment that was read from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

/// A text or number that is no moment between 1970 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a moment: write RFC 3339, for instance 2027-03-01T00:00:00Z, or whole seconds since 1970")]
pub struct NotAMoment;

/// The last second that RFC 3339 can write.
const MAX_SECONDS: i64 = 253_402_300_799;

impl Moment {
    /// # Errors
    /// [`NotAMoment`].
    pub fn from_seconds(seconds: i64) -> Result<Self, NotAMoment> {
        if (0..=MAX_SECONDS).contains(&seconds) {
            Ok(Self(Timestamp::from_ms(seconds * 1000)))
        } else {
            Err(NotAMoment)
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::from_seconds(text.parse().ok().ok_or(NotAMoment)?);
        }
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok().ok_or(NotAMoment)?;
        let ms = i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000)).ok().ok_or(NotAMoment)?;
        Self::from_seconds(ms.div_euclid(1000))?;
        Ok(Self(Timestamp::from_ms(ms)))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a moment in RFC 3339, or whole seconds since 1970")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Moment, E> {
                Moment::from_seconds(seconds).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Moment, E> {
                i64::try_from(seconds).ok().ok_or(NotAMoment).and_then(Moment::from_seconds).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_and_seconds_are_read_and_nothing_else() {
        let at = |text: &str| text.parse::<Moment>().map(|moment| moment.0.ms());
        assert_eq!(at("2026-11-21T12:00:00Z"), Ok(1_795_262_400_000));
        assert_eq!(at("2026-11-21T13:00:00.250+01:00"), Ok(1_795_262_400_250));
        assert_eq!(at("1795262400"), Ok(1_795_262_400_000));
        for bad in
            ["", "now", "2026-11-21", "-1", "1e9", "99999999999999999999", "253402300800", "1969-12-31T23:59:59Z"]
        {
            assert_eq!(at(bad), Err(NotAMoment), "{bad}");
        }
    }
}

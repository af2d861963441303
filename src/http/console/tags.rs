//! Small pieces of HTML that write themselves: moments and lengths of time.

use std::fmt;

use askama::filters::HtmlSafe;
use time::OffsetDateTime;

use super::language::Language;
use super::texts::{Texts, Value};
use crate::domain::clock::Timestamp;

/// A moment as a `<time>` element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub at: Timestamp,
    pub language: Language,
}

/// It is made of digits, names of months and marks only.
impl HtmlSafe for Moment {}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(moment) = OffsetDateTime::from_unix_timestamp(self.at.seconds()) else {
            return f.write_str("&ndash;");
        };
        let month = month(moment, self.language);
        let (day, year, hour, minute) = (moment.day(), moment.year(), moment.hour(), moment.minute());
        let utc = Timestamp::from_ms(self.at.seconds() * 1000);
        write!(f, "<time datetime=\"{utc}\">{day}&nbsp;{month} {year}, {hour:02}:{minute:02}&nbsp;UTC</time>")
    }
}

/// A number, its digits in groups.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grouped {
    pub number: u64,
    pub language: Language,
}

/// It is made of digits and marks only.
impl HtmlSafe for Grouped {}

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.number.to_string();
        let between = match self.language {
            Language::English => ',',
            Language::French => '\u{202f}',
        };
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                write!(f, "{between}")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A day without its year, in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct DayOfMonth {
    pub at: Timestamp,
    pub language: Language,
}

impl fmt::Display for DayOfMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = OffsetDateTime::from_unix_timestamp(self.at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        write!(f, "{} {}", day.day(), month(day, self.language))
    }
}

fn month(day: OffsetDateTime, language: Language) -> &'static str {
    let months = match language {
        Language::English => ENGLISH_MONTHS,
        Language::French => FRENCH_MONTHS,
    };
    months[usize::from(u8::from(day.month())) - 1]
}

const ENGLISH_MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const FRENCH_MONTHS: [&str; 12] =
    ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];

/// A length of time in the largest unit that says it exactly, or nearly for long ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub seconds: u64,
    pub language: Language,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minute, hour, day) = (60, 3_600, 86_400);
        let (key, count) = match self.seconds {
            seconds if seconds >= 2 * day || (seconds >= day && seconds % day == 0) => ("span-days", seconds / day),
            seconds if seconds >= hour && (seconds % hour == 0 || seconds > 10 * hour) => {
                ("span-hours", seconds / hour)
            }
            seconds if seconds >= minute => ("span-minutes", seconds / minute),
            seconds => ("span-seconds", seconds),
        };
        f.write_str(&Texts::of(self.language).text(key, &[("count", Value::Number(count))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_names_its_month_and_zone() {
        let at = Timestamp::from_ms(1_764_000_000_250);
        let moment = |language| Moment { at, language }.to_string();
        assert_eq!(
            moment(Language::English),
            "<time datetime=\"2025-11-24T16:00:00Z\">24&nbsp;Nov 2025, 16:00&nbsp;UTC</time>"
        );
        assert!(moment(Language::French).contains("24&nbsp;nov. 2025"));
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        let grouped = |number, language| Grouped { number, language }.to_string();
        assert_eq!(grouped(999, Language::English), "999");
        assert_eq!(grouped(1_234_567, Language::English), "1,234,567");
        assert_eq!(grouped(100_000, Language::French), "100\u{202f}000");
    }

    #[test]
    fn a_span_is_said_in_the_unit_that_fits() {
        let span = |seconds| Span { seconds, language: Language::English }.to_string();
        for (seconds, said) in
            [(1800, "30 minutes"), (21_600, "6 hours"), (86_400, "1 day"), (7_776_000, "90 days"), (5, "5 seconds")]
        {
            assert_eq!(span(seconds), said);
        }
    }
}

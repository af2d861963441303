//! When it is told that a token ends: a month, a week and a day before, and when it has ended.

use std::time::Duration;

/// One of the moments at which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Ended,
    Day,
    Week,
    Month,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Stage {
    /// The most urgent first.
    pub const ALL: [Self; 4] = [Self::Ended, Self::Day, Self::Week, Self::Month];

    #[must_use]
    pub const fn days(self) -> u32 {
        match self {
            Self::Ended => 0,
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// How long before the end.
    #[must_use]
    pub fn ahead(self) -> Duration {
        DAY * self.days()
    }

    /// What is nearer to its end than this is the next stage's to tell. After a time in which nobody told anything, one notice is given
    /// and not one for each stage that was missed.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Ended => None,
            Self::Day => Some(Self::Ended),
            Self::Week => Some(Self::Day),
            Self::Month => Some(Self::Week),
        }
    }
}

/// A token is in use if it was used within this time: what nobody uses stops nothing when it ends.
pub const IN_USE: Duration = Duration::from_secs(30 * 86_400);
/// Of a token that is younger than this nothing is told: whoever made it knows.
pub const SETTLED: Duration = DAY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_one_another_to_the_end() {
        let mut stage = Stage::Month;
        let mut days = vec![stage.days()];
        while let Some(next) = stage.next() {
            assert!(next < stage && next.ahead() < stage.ahead());
            stage = next;
            days.push(stage.days());
        }
        assert_eq!(days, [30, 7, 1, 0]);
    }
}

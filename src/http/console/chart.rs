//! Pictures that the server draws: bars by day, and bars by kind. Shapes only; colours are in the stylesheet, words and
//! numbers in the page beside them.

/// A bar of a picture of days, in units of its view box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// The view box of a picture of days.
pub(super) const WIDTH: u32 = 700;
pub(super) const HEIGHT: u32 = 160;
/// Between two bars.
const GAP: u32 = 10;
/// The length of the longest bar of a kind.
pub(super) const LONGEST: u32 = 300;

/// One bar for each value, the highest as high as the picture. What is more than nothing can be seen.
pub(super) fn days(values: &[u64]) -> Vec<Bar> {
    let (count, most) = (u32::try_from(values.len()).unwrap_or(1).max(1), values.iter().max().copied().unwrap_or(0));
    let step = WIDTH / count;
    let bar = |(index, value): (u32, &u64)| {
        let height = scaled(*value, most, HEIGHT);
        Bar { x: index * step + GAP / 2, y: HEIGHT - height, width: step.saturating_sub(GAP).max(1), height }
    };
    (0..).zip(values).map(bar).collect()
}

/// How long the bar of `value` is where that of `most` has the full length.
pub(super) fn scaled(value: u64, most: u64, full: u32) -> u32 {
    let length = u128::from(value) * u128::from(full) / u128::from(most.max(1));
    let length = u32::try_from(length).unwrap_or(full).min(full);
    if value > 0 { length.max(2) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_the_ground_and_the_highest_reaches_the_top() {
        let bars = days(&[0, 1, 1_000_000, u64::MAX]);
        assert_eq!((bars[0].height, bars[0].y), (0, HEIGHT));
        assert_eq!(bars[1].height, 2, "little is not nothing");
        assert_eq!((bars[3].height, bars[3].y), (HEIGHT, 0));
        assert!(bars.iter().all(|bar| bar.y + bar.height == HEIGHT && bar.x + bar.width <= WIDTH));
        assert_eq!(days(&[]), []);
        assert_eq!(days(&[0, 0]).iter().map(|bar| bar.height).sum::<u32>(), 0);
    }
}

//! A picture of numbers that grow by powers of ten, as SVG.

use std::fmt::Write as _;
use std::path::Path;

/// One curve: sizes, and what each has cost.
pub(crate) struct Line {
    pub name: String,
    pub points: Vec<(u64, f64)>,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 40.0;
const COLOURS: [&str; 6] = ["#0b6", "#06c", "#c60", "#a2c", "#c33", "#667"];

/// The first half of the lines is drawn through, the second dashed.
pub(crate) fn write(file: &Path, title: &str, lines: &[Line]) -> anyhow::Result<()> {
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let log = |size: u64| (size as f64).log10();
    let (first, last) = all().fold((f64::MAX, f64::MIN), |(a, b), (size, _)| (a.min(log(size)), b.max(log(size))));
    let highest = all().fold(2.0_f64, |highest, (_, cost)| highest.max(cost)).ceil();
    let x = |size: u64| LEFT + (log(size) - first) / (last - first).max(1.0) * (WIDTH - LEFT - RIGHT);
    let y = |cost: f64| HEIGHT - BOTTOM - cost / highest * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{title}</text>\n"
    );
    for step in 0..=4 {
        let cost = highest * f64::from(step) / 4.0;
        let (at, end) = (y(cost), WIDTH - RIGHT);
        writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#ddd\"/><text x=\"12\" y=\"{at:.1}\">{cost:.1}</text>"
        )?;
    }
    let mut sizes: Vec<u64> = all().map(|(size, _)| size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    for size in sizes {
        let power = format!("10<tspan dy=\"-5\" font-size=\"9\">{:.0}</tspan>", log(size));
        writeln!(svg, "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{power}</text>", x(size), HEIGHT - 15.0)?;
    }
    for (number, line) in lines.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let dashes = if number * 2 < lines.len() { "" } else { " stroke-dasharray=\"6 4\"" };
        let points: Vec<String> =
            line.points.iter().map(|(size, cost)| format!("{:.1},{:.1}", x(*size), y(*cost))).collect();
        let (left, at) = (WIDTH - RIGHT + 15.0, TOP + 18.0 * number as f64);
        let points = points.join(" ");
        writeln!(
            svg,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\n\
             <path d=\"M{left} {at:.1}h22\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/><text x=\"{}\" y=\"{:.1}\">{}</text>",
            left + 28.0,
            at + 4.0,
            line.name
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(std::fs::write(file, svg)?)
}

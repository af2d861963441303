//! Markdown tables, aligned so that they read well on a terminal too.

use std::time::Duration;

use crate::sample::{Sample, Spread};

pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|name| (*name).to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(crate) fn print(&self, title: &str) {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} |"));
            format!("|{}", cells.collect::<String>())
        };
        println!("\n### {title}\n\n{}", line(&self.rows[0]));
        println!("|{}", widths.iter().map(|width| format!("{}|", "-".repeat(width + 2))).collect::<String>());
        self.rows[1..].iter().for_each(|row| println!("{}", line(row)));
    }
}

/// One figure of all `samples`.
pub(crate) fn each(samples: &[Sample], figure: impl Fn(&Sample) -> Option<f64>) -> Option<Spread> {
    Spread::of(samples.iter().map(figure))
}

/// The ratio of one figure in each pair of samples.
pub(crate) fn ratio(
    samples: &[Sample],
    baseline: &[Sample],
    figure: impl Fn(&Sample) -> Option<f64>,
) -> Option<Spread> {
    Spread::of(samples.iter().zip(baseline).map(|(sample, baseline)| Some(figure(sample)? / figure(baseline)?)))
}

pub(crate) fn per_second(sample: &Sample) -> Option<f64> {
    Some(sample.per_second())
}

pub(crate) fn p50_ms(sample: &Sample) -> Option<f64> {
    sample.latency.map(|latency| ms(latency.p50))
}

pub(crate) fn p99_ms(sample: &Sample) -> Option<f64> {
    sample.latency.map(|latency| ms(latency.p99))
}

pub(crate) fn mean_ms(sample: &Sample) -> Option<f64> {
    Some(ms(sample.mean()))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The median alone.
pub(crate) fn median(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(missing, |spread| format!("{:.decimals$}", spread.median))
}

/// The median and how far the rounds differ.
pub(crate) fn spread(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(missing, |spread| format!("{spread:.decimals$}"))
}

fn missing() -> String {
    "–".to_owned()
}

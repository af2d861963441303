//! `docs/metrics.md` against what the process says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What there is to know of a metric but its meaning.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Metric {
    kind: String,
    labels: BTreeSet<String>,
    /// Where it is: everywhere, `nodes`, or `tls`.
    place: String,
}

on_both_databases! {
    async fn the_catalogue_names_each_metric_and_no_other(server: &TestServer) {
        let token = server.access_token(&server.client(&[]).await).await;
        server.verify(&token).await.expect(200);
        let places: &[&str] = if server.database.is_postgres() { &["", "nodes"] } else { &[""] };
        let text = server.management("/metrics").await.expect(200).body;
        assert_eq!(exposed(&text), at(places));
    }
}

/// That `/metrics` of a process on SQLite that speaks TLS is what the catalogue says.
pub fn catalogue_has_tls(text: &str) {
    assert_eq!(exposed(text), at(&["", "tls"]));
}

/// Kind and labels of what the catalogue has at these places.
fn at(places: &[&str]) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let there = catalogue().into_iter().filter(|(_, metric)| places.contains(&metric.place.as_str()));
    there.map(|(name, metric)| (name, (metric.kind, metric.labels))).collect()
}

/// The rows of the table, by the name that Prometheus stores.
pub fn catalogue() -> BTreeMap<String, Metric> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `jeton_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, name, kind, labels, place, meaning, _] = cells[..] else { panic!("not five cells: {row}") };
        assert!(!meaning.is_empty(), "{row}");
        let labels =
            labels.split(", ").filter(|label| !label.is_empty()).map(|label| label.trim_matches('`').to_owned());
        let metric = Metric { kind: kind.to_owned(), labels: labels.collect(), place: place.to_owned() };
        (name.trim_matches('`').to_owned(), metric)
    })
    .collect()
}

/// Kind and labels of what the text has, by the name that Prometheus stores.
fn exposed(text: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(|line| line.split_once(' ').unwrap());
    types
        .map(|(name, kind)| {
            let stored = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
            let samples =
                text.lines().filter_map(|line| line.strip_prefix(name)).filter_map(|rest| rest.split_once('{'));
            let of_this = samples.filter(|(suffix, _)| ["", "_total", "_bucket"].contains(suffix));
            let labels = of_this
                .flat_map(|(_, rest)| rest.split_once('}').unwrap().0.split(','))
                .map(|label| label.split_once('=').unwrap().0);
            (stored, (kind.to_owned(), labels.filter(|label| *label != "le").map(str::to_owned).collect()))
        })
        .collect()
}

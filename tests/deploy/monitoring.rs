//! The dashboard and the alerts name metrics that there are.

use std::collections::BTreeSet;

use serde_json::Value;

use super::metrics::catalogue;
use super::{deployed, program, succeed};

fn read(name: &str) -> String {
    std::fs::read_to_string(deployed(name)).unwrap()
}

/// All names that begin like a metric of ours, without what a histogram appends.
fn named_in(text: &str) -> BTreeSet<String> {
    let names = regex::Regex::new(r"\bjeton_[a-z_]+").unwrap();
    let histogram = regex::Regex::new("_seconds_(bucket|sum|count)$").unwrap();
    names.find_iter(text).map(|name| histogram.replace(name.as_str(), "_seconds").into_owned()).collect()
}

#[test]
fn what_the_dashboard_alerts_and_docs_name_exists() {
    let known: BTreeSet<String> = catalogue().into_keys().collect();
    for file in ["grafana/jeton.json", "prometheus/alerts.yml", "prometheus/alerts_test.yml", "../docs/metrics.md"] {
        let named = named_in(&read(file));
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(named.len() > 5 && unknown.is_empty(), "{file} names {unknown:?}");
    }
}

#[test]
fn the_dashboard_shows_every_metric() {
    assert_eq!(named_in(&read("grafana/jeton.json")), catalogue().into_keys().collect());
}

#[test]
fn every_panel_of_the_dashboard_has_a_title_a_place_and_a_query() {
    let dashboard: Value = serde_json::from_str(&read("grafana/jeton.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(panel["title"].as_str().is_some_and(|title| !title.is_empty()), "{panel}");
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "an id twice: {panel}");
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{panel}");
        if panel["type"] != "row" {
            let targets = panel["targets"].as_array().unwrap();
            assert!(!targets.is_empty() && targets.iter().all(|target| target["expr"].is_string()), "{panel}");
        }
    }
}

#[test]
#[ignore = "needs promtool: cargo xtask test"]
fn the_rules_and_the_scraping_are_well_formed() {
    succeed(program("PROMTOOL").args(["check", "rules"]).arg(deployed("prometheus/alerts.yml")));
    succeed(program("PROMTOOL").args(["check", "config"]).arg(deployed("prometheus/prometheus.yml")));
}

#[test]
#[ignore = "needs promtool: cargo xtask test"]
fn each_alert_comes_when_it_should_and_none_when_all_is_well() {
    succeed(program("PROMTOOL").args(["test", "rules"]).arg(deployed("prometheus/alerts_test.yml")));
    let alerts = read("prometheus/alerts.yml").matches("- alert: ").count();
    assert_eq!(read("prometheus/alerts_test.yml").matches("{alertname=").count(), alerts, "an alert without a test");
}

#[test]
#[ignore = "needs promtool: cargo xtask test"]
fn every_query_of_the_dashboard_can_be_read() {
    let dashboard: Value = serde_json::from_str(&read("grafana/jeton.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let queries = targets.map(|target| target["expr"].as_str().unwrap().replace("$__rate_interval", "5m"));
    let rules: String = queries
        .enumerate()
        .map(|(number, query)| {
            format!(
                "      - record: dashboard:query:{number}\n        expr: {}\n",
                serde_json::to_string(&query).unwrap()
            )
        })
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("queries.yml");
    std::fs::write(&file, format!("groups:\n  - name: dashboard\n    rules:\n{rules}")).unwrap();
    succeed(program("PROMTOOL").args(["check", "rules"]).arg(file));
}

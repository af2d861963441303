//! A module names only lower floors; axum lives in `http` only, sqlx in `store` only.

use std::path::{Path, PathBuf};

/// Lowest first. The last two may name everything.
const FLOORS: [(&str, &[&str]); 5] = [
    ("domain", &[]),
    ("store", &["domain"]),
    ("cluster", &["domain", "store"]),
    ("service", &["domain", "store", "cluster"]),
    ("http", &["domain", "store", "cluster", "service"]),
];

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn a_module_names_only_lower_floors() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let named = regex::Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let mut wrong = Vec::new();
    for (floor, lower) in FLOORS {
        for path in sources(&src.join(floor)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = named.captures_iter(&text).map(|found| found[1].to_owned());
            for name in names.filter(|name| name != floor && !lower.contains(&name.as_str())) {
                wrong.push(format!("{} names crate::{name}", path.display()));
            }
            for (library, home) in [("axum", "http"), ("sqlx", "store")] {
                if floor != home && regex::Regex::new(&format!(r"\b{library}::")).unwrap().is_match(&text) {
                    wrong.push(format!("{} names {library}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_module_says_what_it_owns() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let silent = sources(&src).into_iter().filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//! "));
    assert_eq!(silent.collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

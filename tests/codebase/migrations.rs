//! The migrations of both databases: the same numbers, the same tables, the same columns.

use std::collections::BTreeMap;
use std::path::Path;

fn files(backend: &str) -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect()
}

/// Table to its columns, in order, without their types: those it was made with and those that came later.
fn tables(backend: &str) -> BTreeMap<String, Vec<String>> {
    let table = regex::Regex::new(r"(?ms)^CREATE TABLE (\w+) \(\n(.*?)\n\)").unwrap();
    let column = regex::Regex::new(r"(?m)^    ([a-z_]+) [A-Z]").unwrap();
    let later = regex::Regex::new(r"(?m)^ALTER TABLE (\w+) ADD COLUMN (\w+) [A-Z]").unwrap();
    let all: String = files(backend).into_values().collect();
    let found = table.captures_iter(&all).map(|found| {
        let columns: Vec<String> = column.captures_iter(&found[2]).map(|column| column[1].to_owned()).collect();
        (found[1].to_owned(), columns)
    });
    let mut tables: BTreeMap<_, _> = found.collect();
    for added in later.captures_iter(&all) {
        tables.get_mut(&added[1]).expect("a table that was made before").push(added[2].to_owned());
    }
    tables
}

#[test]
fn both_databases_have_the_same_migrations_tables_and_columns() {
    let names = |backend| files(backend).into_keys().collect::<Vec<_>>();
    assert_eq!(names("sqlite"), names("postgres"));
    assert_eq!(tables("sqlite"), tables("postgres"));
    assert!(tables("sqlite").len() >= 11);
}

/// Made before there was a version that could be running beside a newer one.
const BEFORE_THE_RULE: &[&str] = &["0007_identity.sql", "0012_key_session.sql"];

#[test]
fn a_migration_that_takes_something_away_says_who_may_still_serve() {
    let takes_away = regex::Regex::new(
        r"(?i)\b(DROP (TABLE|COLUMN|CONSTRAINT)|RENAME|ALTER COLUMN|SET NOT NULL|ADD COLUMN \w+ \w+ NOT NULL(;| *$)|ADD (CONSTRAINT|CHECK)|CREATE UNIQUE INDEX)",
    )
    .unwrap();
    let on = regex::Regex::new(r"ON (\w+)").unwrap();
    let mut found = Vec::new();
    for backend in ["sqlite", "postgres"] {
        for (name, text) in files(backend) {
            // What the same file has made can have nothing in it that an older version relies on.
            let of_its_own = |line: &str| {
                let made = on.captures(line).map(|found| found[1].to_owned());
                made.is_some_and(|table| text.contains(&format!("CREATE TABLE {table} (")))
            };
            let takes = text.lines().filter(|line| !line.trim_start().starts_with("--"));
            let takes = takes.filter(|line| takes_away.is_match(line) && !of_its_own(line)).count();
            if takes > 0 && !text.contains("INSERT INTO schema_floor") && !BEFORE_THE_RULE.contains(&name.as_str()) {
                found.push(format!("{backend}/{name}"));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

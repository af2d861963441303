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

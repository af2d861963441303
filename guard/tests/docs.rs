//! Every public type, trait, function and constant has an example, which `cargo test` runs.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::path::{Path, PathBuf};

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The items of a file at its top, each with whether an example stands in its documentation.
fn items(text: &str) -> Vec<(String, bool)> {
    let (mut items, mut has_example) = (Vec::new(), false);
    for line in text.lines().take_while(|line| *line != "#[cfg(test)]") {
        if line.starts_with("///") {
            has_example |= line.contains("```");
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["pub", "struct" | "enum" | "trait" | "fn" | "const", name, ..] = words[..]
            && line.starts_with("pub")
        {
            items.push((name.to_owned(), has_example));
        }
        has_example &= line.starts_with('#');
    }
    items
}

#[test]
fn every_public_item_has_an_example() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let items: Vec<_> = files.iter().flat_map(|file| items(&std::fs::read_to_string(file).unwrap())).collect();
    let without: Vec<_> = items.iter().filter(|(_, has_example)| !has_example).map(|(name, _)| name).collect();
    assert!(without.is_empty(), "{without:?}");
    assert!(items.len() > 20, "{items:?}");
}

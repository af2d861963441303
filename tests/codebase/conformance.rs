//! Every test that docs/conformance.md and docs/behaviours.md name as a proof exists, and no line stands there without one.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files that may hold what a module path of the document names: a module of the integration tests, of this crate, of the
/// guard, or the guard's one integration test.
fn files(modules: &str) -> Vec<PathBuf> {
    let (base, modules) = match modules.strip_prefix("jeton_guard::") {
        Some(modules) => ("guard/src", modules),
        None if modules == "guard" => ("guard/tests", modules),
        None if modules.ends_with("::tests") => ("src", modules),
        None => ("tests", modules),
    };
    let path = modules.trim_end_matches("::tests").replace("::", "/");
    [format!("{base}/{path}.rs"), format!("{base}/{path}/mod.rs")].map(|file| root().join(file)).to_vec()
}

fn exists(test: &str) -> bool {
    let Some((modules, name)) = test.rsplit_once("::") else {
        return false;
    };
    let declared = regex::Regex::new(&format!(r"\bfn {name}\(")).unwrap();
    files(modules).iter().filter_map(|file| std::fs::read_to_string(file).ok()).any(|text| declared.is_match(&text))
}

/// The last cells of all rows, without those of the heads of tables.
fn proofs(document: &str) -> Vec<&str> {
    let rows = document.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| proof |"));
    rows.map(|row| row.trim_end_matches(" |").rsplit(" | ").next().unwrap()).collect()
}

/// What is wrong with the proofs of a document of at least this many rows.
fn wrong(document: &str, rows: usize) -> Vec<String> {
    let document = std::fs::read_to_string(root().join(document)).unwrap();
    let named = regex::Regex::new("`([a-z0-9_:]+)`").unwrap();
    let proofs = proofs(&document);
    assert!(proofs.len() >= rows, "{} rows: is the document still made of tables?", proofs.len());
    let mut wrong = Vec::new();
    for cell in proofs {
        let tests: Vec<String> = named.captures_iter(cell).map(|found| found[1].to_owned()).collect();
        if tests.is_empty() {
            wrong.push(format!("no test in {cell:?}"));
        }
        wrong.extend(tests.into_iter().filter(|test| !exists(test)));
    }
    wrong
}

#[test]
fn every_requirement_has_a_test_that_exists() {
    assert_eq!(wrong("docs/conformance.md", 50), Vec::<String>::new());
}

#[test]
fn every_behaviour_of_the_source_systems_has_a_test_that_exists() {
    assert_eq!(wrong("docs/behaviours.md", 22), Vec::<String>::new());
}

#[test]
fn a_test_that_is_missing_is_noticed() {
    assert!(exists("codebase::conformance::a_test_that_is_missing_is_noticed"));
    for missing in ["codebase::conformance::nothing", "codebase::nothing::proofs", "proofs", ""] {
        assert!(!exists(missing), "{missing}");
    }
}

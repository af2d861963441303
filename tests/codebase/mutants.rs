//! Wrong orders of the protocol are built for the proof of the fault suite, and are in no other binary.

use std::path::Path;

#[test]
fn an_ordinary_binary_can_follow_no_wrong_order() {
    let binary = std::fs::read(Path::new(env!("CARGO_BIN_EXE_jeton"))).unwrap();
    let words = ["JETON_MUTANT", "ack-before-apply", "numbers-not-in-commit-order", "append_serially"];
    let searched = aho_corasick::AhoCorasick::new(words).unwrap();
    let mut found: Vec<&str> = searched.find_iter(&binary).map(|found| words[found.pattern()]).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), if cfg!(jeton_mutants) { words.len() } else { 0 }, "{found:?}");
}

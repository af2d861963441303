//! `docs/errors.md` has every problem code and every OAuth error, and no other.

use std::collections::BTreeSet;
use std::path::Path;

use jeton::http::problem;
use jeton::service::error::OAuthCode;

/// Status and code of the rows of a section of the page.
fn rows(heading: &str) -> BTreeSet<(u16, String)> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let row = regex::Regex::new(r"(?m)^\| (\d{3}) \| `([a-z_]+)` \|").unwrap();
    row.captures_iter(section).map(|found| (found[1].parse().unwrap(), found[2].to_owned())).collect()
}

#[test]
fn every_problem_is_on_the_page() {
    let kinds = problem::kinds().into_iter().map(|(status, code, _)| (status, code.to_owned()));
    assert_eq!(rows("Problem details"), kinds.collect());
}

#[test]
fn every_oauth_error_is_on_the_page() {
    let mut codes: BTreeSet<String> = OAuthCode::ALL.into_iter().map(|code| code.as_str().to_owned()).collect();
    // What the bearer middleware says (jeton_guard::Refusal).
    for code in ["unauthorized", "invalid_token", "insufficient_scope", "rate_limited", "temporarily_unavailable"] {
        codes.insert(code.to_owned());
    }
    assert_eq!(rows("OAuth errors").into_iter().map(|(_, code)| code).collect::<BTreeSet<_>>(), codes);
}

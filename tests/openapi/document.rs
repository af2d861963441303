//! The OpenAPI document: committed as it is served, of the same operations as the table of routes, with the same access.

use std::collections::BTreeSet;
use std::path::Path;

use jeton::http::routes::{self, Access, Route};
use reqwest::Method;
use serde_json::{Value, json};

fn document() -> Value {
    serde_json::to_value(jeton::http::openapi::document()).unwrap()
}

fn table() -> Vec<Route> {
    routes::public().into_iter().chain(routes::management()).collect()
}

/// Path, method and operation of everything in the document; the method is `any` where the path says so.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| !name.starts_with("x-")) {
            let method = if item["x-any-method"] == json!(true) { "any" } else { method };
            all.push((path.clone(), method.to_owned(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(committed == document(), "docs/openapi.json is old: cargo run -q -- openapi > docs/openapi.json");
}

#[test]
fn the_document_and_the_table_have_the_same_operations() {
    let documented: BTreeSet<(String, String)> =
        operations(&document()).into_iter().map(|(path, method, _)| (path, method)).collect();
    let served = table().into_iter().map(|route| {
        let method = route.method.map_or_else(|| "any".to_owned(), |method| method.as_str().to_lowercase());
        (route.path.replace("{*", "{"), method)
    });
    assert_eq!(documented, served.collect());
}

#[test]
fn every_annotation_names_a_line_of_the_table_that_its_handler_serves() {
    let table = table();
    for route in &table {
        let (method, path) = route.annotated();
        // An alias has the annotation of the path that it stands for.
        let own = (route.method.clone().unwrap_or(Method::GET), route.path) == (method.clone(), path.as_str());
        let alias = table.iter().any(|other| {
            other.path == path
                && other.method.clone().unwrap_or(Method::GET) == method
                && other.access == route.access
                && (route.method.is_none() || route.path.starts_with(other.path))
        });
        assert!(own || alias, "{} is annotated as {method} {path}", route.path);
    }
}

#[test]
fn who_may_call_is_documented_as_the_table_has_it() {
    let document = document();
    for route in table() {
        let method = route.method.map_or_else(|| "get".to_owned(), |method| method.as_str().to_lowercase());
        let operation = &document["paths"][route.path.replace("{*", "{")][method];
        assert_eq!(operation["x-access"], json!(route.access), "{}", route.path);
        let schemes: Vec<&String> =
            operation["security"].as_array().unwrap().iter().flat_map(|one| one.as_object().unwrap().keys()).collect();
        match route.access {
            Access::Public | Access::Network | Access::Visitor | Access::Session | Access::AdminSession => {
                assert!(schemes.is_empty(), "{}", route.path);
            }
            Access::Client => assert_eq!(schemes[0], "client", "{}", route.path),
            _ => assert_eq!(schemes, ["bearer", "api_key"], "{}", route.path),
        }
    }
}

#[test]
fn every_operation_has_a_summary_an_id_of_its_own_and_an_answer() {
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document()) {
        let named = format!("{method} {path}");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.ends_with('.')), "{named}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{named}");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{named}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let references = regex::Regex::new("\"\\$ref\":\"#([^\"]+)\"").unwrap();
    let missing: BTreeSet<&str> = references
        .captures_iter(&text)
        .map(|found| found.get(1).unwrap().as_str())
        .filter(|pointer| document.pointer(pointer).is_none())
        .collect();
    assert_eq!(missing, BTreeSet::new());
    assert!(references.is_match(&text));
}

#[test]
fn two_types_never_share_a_name() {
    let table = table();
    let mut all: Vec<(String, Value)> = table.iter().flat_map(Route::schemas).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    for pair in all.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert_eq!(pair[0].1, pair[1].1, "{} is two types: name one of them with #[schema(as = …)]", pair[0].0);
    }
}

on_both_databases! {
    async fn the_document_and_its_page_are_served_and_protected(server: &TestServer) {
        let get = async |path: &str| server.send(server.request(Method::GET, path)).await;
        assert_eq!(get("/openapi.json").await.expect(200).json(), document());
        let page = get("/docs/api").await.expect(200);
        let linked = regex::Regex::new("(?:src|href)=\"(/docs/[^\"]+)\"").unwrap();
        let parts: Vec<String> = linked.captures_iter(&page.body).map(|found| found[1].to_owned()).collect();
        assert_eq!(parts.len(), 4, "{}", page.body);
        assert!(!page.body.contains("http:") && !page.body.contains("https:") && !page.body.contains("<style"));
        for path in parts.iter().map(String::as_str).chain(["/docs/api"]) {
            let part = Box::pin(get(path)).await.expect(200);
            assert!(part.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
            assert_eq!(part.header("x-content-type-options"), "nosniff");
        }
        get("/docs/api/index.html").await.expect(404);
        get("/docs/api/..%2f").await.expect(404);
    }
}

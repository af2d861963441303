//! Every example runs, and every answer has the schema that the document gives it.

use std::collections::BTreeSet;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::operation::{self, Operation, Prepared};
use crate::support::Answer;

/// The document with objects that are closed, so that a member which it does not know is noticed. Parts of an `allOf` stay open.
fn strict() -> Value {
    let mut document = operation::document();
    let mut parts = BTreeSet::new();
    collect_parts(&document["components"]["schemas"], &mut parts);
    for (name, schema) in document["components"]["schemas"].as_object_mut().unwrap() {
        if schema["properties"].is_object() && !parts.contains(name) {
            schema["unevaluatedProperties"] = json!(false);
        }
        if schema["allOf"].is_array() && !parts.contains(name) {
            schema["unevaluatedProperties"] = json!(false);
        }
    }
    document
}

fn collect_parts(value: &Value, parts: &mut BTreeSet<String>) {
    for part in value["allOf"].as_array().into_iter().flatten() {
        if let Some(name) = part["$ref"].as_str() {
            parts.insert(name.rsplit('/').next().unwrap().to_owned());
        }
    }
    match value {
        Value::Object(members) => members.values().for_each(|member| collect_parts(member, parts)),
        Value::Array(items) => items.iter().for_each(|item| collect_parts(item, parts)),
        _ => {}
    }
}

/// What is wrong with `value`, by a schema of the document.
fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect()
}

fn check(document: &Value, operation: &Operation, answer: &Answer) {
    let name = operation.name();
    assert!(operation.successes().contains(&answer.status), "{name}: {} {}", answer.status, answer.body);
    let documented = &operation.raw["responses"][answer.status.to_string()];
    let Some(content) = documented["content"].as_object() else {
        assert!(answer.body.is_empty() || operation.path.starts_with("/docs"), "{name}: a body that is not documented");
        return;
    };
    let own = answer.headers[CONTENT_TYPE].to_str().unwrap().split(';').next().unwrap();
    let content = content.get(own).unwrap_or_else(|| panic!("{name}: {own} is not documented"));
    if own == "application/json" {
        assert_eq!(
            faults(document, &content["schema"], &answer.json()),
            Vec::<String>::new(),
            "{name}: {}",
            answer.body
        );
    }
}

#[test]
fn every_example_fits_its_own_schema() {
    let document = operation::document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert_eq!(faults(&document, schema, example), Vec::<String>::new(), "{name}: {example}");
        }
    }
    let mut examples = 0;
    for operation in operation::all(&document) {
        for (media_type, example) in operation.examples() {
            let schema = &operation.raw["requestBody"]["content"][&media_type]["schema"];
            assert_eq!(faults(&document, schema, &example), Vec::<String>::new(), "{}: {example}", operation.name());
            examples += 1;
        }
        assert!(operation.raw.get("requestBody").is_none() || !operation.examples().is_empty(), "{}", operation.name());
    }
    assert!(examples > 10);
}

#[test]
fn a_member_that_is_not_documented_is_noticed() {
    let document = strict();
    let schema = &document["components"]["schemas"]["FieldError"];
    assert_eq!(faults(&document, schema, &json!({ "pointer": "/a", "detail": "b" })), Vec::<String>::new());
    assert_eq!(faults(&document, schema, &json!({ "pointer": "/a", "detail": "b", "c": 1 })).len(), 1);
    assert_eq!(faults(&document, schema, &json!({ "pointer": 1, "detail": "b" })).len(), 1);
}

on_both_databases! {
    async fn every_operation_and_every_example_works_and_answers_as_documented(server: &TestServer) {
        let document = strict();
        let client = server.client(&["orders:read"]).await;
        for operation in operation::all(&document) {
            let prepared = operation.prepare(&document, server, &server.admin_key).await;
            let tried = prepared.iter().filter(|_| operation.has_dry_run()).map(Prepared::tried).collect::<Vec<_>>();
            for prepared in tried.into_iter().chain(prepared) {
                let request = prepared.request(server);
                let request = match operation.access.as_str() {
                    "public" => request,
                    "client" => request.basic_auth(&client.id, Some(&client.secret)),
                    // Some of them end the session of the token that they are called with.
                    "bearer" | "presented" => {
                        let made = server.own_token(&json!({ "policy": "access" })).await;
                        request.bearer_auth(made.text("access_token"))
                    }
                    _ => request.bearer_auth(&server.admin_key),
                };
                check(&document, &operation, &server.send(request).await);
            }
        }
    }

    async fn refusals_are_documented_and_answer_as_documented(server: &TestServer) {
        let document = strict();
        for operation in operation::all(&document).into_iter().filter(|operation| operation.access != "public") {
            let answer = server.send(server.request(operation.method.clone(), &operation.path.replace(['{', '}'], ""))).await;
            let status = answer.status.to_string();
            let mut documented = &operation.raw["responses"][&status];
            assert!(documented.is_object(), "{}: {status} {}", operation.name(), answer.body);
            if let Some(place) = documented["$ref"].as_str() {
                documented = document.pointer(place.trim_start_matches('#')).unwrap();
            }
            let own = answer.header("content-type");
            let schema = &documented["content"][own]["schema"];
            assert!(schema.is_object(), "{}: {status} with {own}", operation.name());
            assert_eq!(faults(&document, schema, &answer.json()), Vec::<String>::new(), "{}", operation.name());
        }
    }
}

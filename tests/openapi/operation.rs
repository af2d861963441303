//! One operation of the document, and a request to it that can succeed: its own example, on things that are made for it.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::TestServer;

#[derive(Clone, Debug)]
pub struct Operation {
    pub method: Method,
    pub path: String,
    pub access: String,
    pub raw: Value,
}

/// A request without its credential.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub method: Method,
    pub path: String,
    if_match: Option<String>,
    body: Option<(String, Value)>,
}

pub fn document() -> Value {
    serde_json::to_value(jeton::http::openapi::document()).unwrap()
}

/// Every operation of the public listener.
pub fn all(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, raw) in item.as_object().unwrap().iter().filter(|(name, _)| !name.starts_with("x-")) {
            let access = raw["x-access"].as_str().unwrap().to_owned();
            if access != "network" {
                let method = method.to_uppercase().parse().unwrap();
                all.push(Operation { method, path: path.clone(), access, raw: raw.clone() });
            }
        }
    }
    all
}

/// Names that must not be taken twice.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The statuses of success.
    pub fn successes(&self) -> Vec<u16> {
        let answers = self.raw["responses"].as_object().unwrap().keys();
        answers.filter(|status| status.starts_with('2')).map(|status| status.parse().unwrap()).collect()
    }

    pub fn has_dry_run(&self) -> bool {
        let parameters = self.raw["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == "dry_run")
    }

    /// Media type and examples of the request body.
    pub fn examples(&self) -> Vec<(String, Value)> {
        let content = self.raw["requestBody"]["content"].as_object().into_iter().flatten();
        let examples = content.flat_map(|(media_type, content)| {
            let many = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
            content.get("example").into_iter().chain(many).map(|example| (media_type.clone(), example.clone()))
        });
        examples.collect()
    }

    /// One request for each example, or the one without a body; on a thing that `maker` makes for it.
    pub async fn prepare(&self, document: &Value, server: &TestServer, maker: &str) -> Vec<Prepared> {
        let bodies: Vec<_> = self.examples().into_iter().map(Some).collect();
        let bodies = if bodies.is_empty() { vec![None] } else { bodies };
        let mut requests = Vec::new();
        for body in bodies {
            let path = self.concrete_path(document, server, maker).await;
            let if_match = if self.method == Method::PATCH {
                let tag = server.get(&path, maker).await.expect(200).header("etag").to_owned();
                assert!(!tag.is_empty(), "GET {path} has no ETag");
                Some(tag)
            } else {
                None
            };
            let body = body.map(|(media_type, body)| (media_type, fresh(&self.path, body)));
            requests.push(Prepared { method: self.method.clone(), path: self.with_query(path), if_match, body });
        }
        requests
    }

    async fn concrete_path(&self, document: &Value, server: &TestServer, maker: &str) -> String {
        if self.path == "/admin/v1/explain" {
            let token = make(document, server, maker, "/admin/v1/tokens", "id").await;
            return format!("{}?token_id={token}", self.path);
        }
        let Some((collection, rest)) = self.path.split_once("/{") else {
            return self.path.clone();
        };
        let (parameter, action) = rest.split_once('}').unwrap();
        let id = match parameter {
            "file" => "swagger-ui.css".to_owned(),
            "path" => "orders".to_owned(),
            "name" => "access".to_owned(),
            "revision" => "1".to_owned(),
            _ => make(document, server, maker, collection, parameter).await,
        };
        format!("{collection}/{id}{action}")
    }

    /// Parameters of the URL that have an example.
    fn with_query(&self, path: String) -> String {
        let parameters = self.raw["parameters"].as_array().into_iter().flatten();
        let of_query = parameters.filter(|parameter| parameter["in"] == "query" && parameter["example"].is_string());
        let pairs = of_query.map(|one| (one["name"].as_str().unwrap(), one["example"].as_str().unwrap()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }
}

impl Prepared {
    /// The same as a dry run.
    pub fn tried(&self) -> Self {
        let and = if self.path.contains('?') { '&' } else { '?' };
        Self { path: format!("{}{and}dry_run=true", self.path), ..self.clone() }
    }

    pub fn request(&self, server: &TestServer) -> RequestBuilder {
        let request = server.request(self.method.clone(), &self.path);
        let request = self.if_match.iter().fold(request, |request, tag| request.header("if-match", tag));
        match &self.body {
            Some((media_type, body)) => request.header("content-type", media_type).body(written(media_type, body)),
            None => request,
        }
    }
}

/// Makes a thing of a collection by the first example that the document has for it, and returns its id.
async fn make(document: &Value, server: &TestServer, maker: &str, collection: &str, parameter: &str) -> String {
    let raw = document["paths"][collection]["post"].clone();
    let maker_of = Operation { method: Method::POST, path: collection.to_owned(), access: String::new(), raw };
    let (media_type, body) =
        maker_of.examples().into_iter().next().unwrap_or_else(|| panic!("{collection}: no example"));
    let body = written(&media_type, &fresh(collection, body));
    let request =
        server.request(Method::POST, collection).bearer_auth(maker).header("content-type", media_type).body(body);
    let made = server.send(request).await.expect(201).json();
    let own = format!("/{parameter}");
    let places = ["/token/id", "/workspace/id", own.as_str(), "/id"];
    let id =
        places.iter().find_map(|place| made.pointer(place)).unwrap_or_else(|| panic!("{collection}: no id in {made}"));
    id.as_str().unwrap().to_owned()
}

/// The example with a name that nobody has taken.
fn fresh(path: &str, mut body: Value) -> Value {
    let unique = ["/users", "/apis", "/plans", "/workspaces", "/legacy-imports"].iter().any(|end| path.ends_with(end));
    for member in ["name", "username", "source"] {
        if let (true, Some(name)) = (unique, body[member].as_str()) {
            body[member] = json!(format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        }
    }
    body
}

fn written(media_type: &str, body: &Value) -> String {
    match media_type {
        "application/x-www-form-urlencoded" => {
            let fields = body.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap()));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
        }
        _ => body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned),
    }
}

//! From the table of routes and the annotations of its handlers to the document.

use std::collections::BTreeSet;

use axum::http::Method;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Components, InfoBuilder, License, OpenApi, OpenApiBuilder, RefOr, Required, Schema, Server, ServerBuilder,
};

use super::{Description, answers, links, texts};
use crate::http::routes::{self, Access, Route};

/// The document of everything that both listeners serve.
#[must_use]
pub fn document() -> OpenApi {
    let (mut paths, mut components, mut ids) = (Paths::new(), components(), BTreeSet::new());
    for route in routes::public().into_iter().chain(routes::management()) {
        let Description { method, operation, schemas, .. } = route.describe();
        components.schemas.extend(schemas);
        let operation = complete(&route, operation);
        let id = operation.operation_id.clone().unwrap_or_default();
        debug_assert!(ids.insert(id.clone()), "two operations are called {id}");
        let path = documented_path(route.path);
        paths.add_path_operation(&path, vec![documented_method(&method)], operation);
        if let (None, Some(item)) = (&route.method, paths.paths.get_mut(&path)) {
            item.extensions = Some(Extensions::from_iter([("x-any-method", true)]));
        }
    }
    links::add(&mut paths);
    let info = InfoBuilder::new()
        .title("Jeton")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "An OAuth 2.0 token service: issues, validates and revokes bearer tokens. Every operation says in `x-access` who may \
             call it. Errors of the OAuth endpoints are those of RFC 6749, all others are problem details (RFC 9457).",
        ))
        .license(Some(License::new("Apache-2.0")));
    let server = Server::new("/");
    OpenApiBuilder::new().info(info).servers(Some([server])).paths(paths).components(Some(components)).build()
}

/// The path as the document writes it: a suffix of any depth is a parameter like others there.
fn documented_path(path: &str) -> String {
    path.replace("{*", "{")
}

fn documented_method(method: &Method) -> HttpMethod {
    match *method {
        Method::PUT => HttpMethod::Put,
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        Method::PATCH => HttpMethod::Patch,
        _ => HttpMethod::Get,
    }
}

/// Adds to an annotation what follows from the line of the table.
fn complete(route: &Route, mut operation: Operation) -> Operation {
    let path = documented_path(route.path);
    operation.operation_id = Some(operation_id(&path, operation.operation_id.as_deref().unwrap_or_default()));
    operation.tags = Some(vec![tag(&path)]);
    // An annotation adds further ways for callers to prove themselves.
    operation.security.get_or_insert_default().splice(0..0, security(route.access));
    let extensions = Extensions::from_iter([("x-access", serde_json::json!(route.access))]);
    operation.extensions.get_or_insert_default().merge(extensions);
    if route.access == Access::Network {
        let server = ServerBuilder::new().url("http://127.0.0.1:9090").description(Some("The management listener"));
        operation.servers = Some(vec![server.build()]);
    }
    add_path_parameters(&path, &mut operation);
    allow_empty_values(&mut operation);
    unwrap_optional_body(&mut operation);
    let is_edit = route.method == Some(Method::PATCH);
    if is_edit {
        let tag = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(\\*|\"[0-9]{1,9}\")$"))
            .description(Some("The ETag of what is edited, or *"));
        let parameter =
            ParameterBuilder::new().name("If-Match").parameter_in(ParameterIn::Header).required(Required::True);
        let parameters = operation.parameters.get_or_insert_default();
        parameters.retain(|own| !matches!(own, RefOr::T(own) if own.name == "If-Match"));
        parameters.push(RefOr::T(parameter.schema(Some(tag)).build()));
    }
    answers::complete(route.access, &path, is_edit, &mut operation);
    operation
}

/// Parameters that the annotation leaves out are texts.
fn add_path_parameters(path: &str, operation: &mut Operation) {
    for name in path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')) {
        let parameters = operation.parameters.get_or_insert_default();
        let has = |parameter: &RefOr<_>| matches!(parameter, RefOr::T(own) if is_path_parameter(own, name));
        if !parameters.iter().any(has) {
            let text = ObjectBuilder::new().schema_type(Type::String);
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
            parameters.push(RefOr::T(parameter.schema(Some(text)).build()));
        }
    }
}

/// In a query an empty value is an absent one ([`crate::http::list_query`]). Of a parameter that may be repeated there is none then.
fn allow_empty_values(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.parameter_in == ParameterIn::Query
            && parameter.required == Required::False
            && !matches!(parameter.schema, Some(RefOr::T(Schema::Array(_))))
        {
            let allowed = Extensions::from_iter([("allowEmptyValue", true)]);
            parameter.extensions.get_or_insert_default().merge(allowed);
        }
    }
}

/// A body that may be left out is not one that may be null.
fn unwrap_optional_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(either))) = &content.schema
            && let [one @ RefOr::Ref(_), _] | [_, one @ RefOr::Ref(_)] = either.items.as_slice()
        {
            content.schema = Some(one.clone());
            body.required = Some(Required::False);
        }
    }
}

fn is_path_parameter(parameter: &utoipa::openapi::path::Parameter, name: &str) -> bool {
    parameter.name == name && parameter.parameter_in == ParameterIn::Path
}

/// The words of the path and the name of the handler, where the path does not end with it: `api_tokens_create`.
fn operation_id(path: &str, handler: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for segment in path.trim_start_matches('/').split('/').filter(|segment| *segment != "v1") {
        let parameter = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        match parameter {
            // Of one thing or of the list of all: the name of the handler tells.
            Some("id" | "client_id") => {}
            Some(name) => words.push(name.to_owned()),
            None if segment.is_empty() => words.push("slash".to_owned()),
            None => words.push(segment.trim_start_matches('.').replace(['-', '.'], "_")),
        }
    }
    if words.last().is_none_or(|last| last != handler) {
        words.push(handler.to_owned());
    }
    words.join("_")
}

fn tag(path: &str) -> String {
    let mut segments = path.trim_start_matches('/').split('/');
    match (segments.next().unwrap_or_default(), segments.next(), segments.next()) {
        ("oauth20", ..) => "OAuth".to_owned(),
        (".well-known", ..) => "Metadata".to_owned(),
        ("api", _, Some(resource)) => format!("Own {resource}"),
        ("admin", _, Some(resource)) => format!("Administration: {resource}"),
        ("leaks", ..) => "Leaks".to_owned(),
        ("openapi.json" | "docs", ..) => "Documentation".to_owned(),
        _ => "Operations".to_owned(),
    }
}

fn security(access: Access) -> Vec<SecurityRequirement> {
    let schemes: &[&str] = match access {
        Access::Public | Access::Network | Access::Visitor | Access::Session | Access::AdminSession => &[],
        Access::Client => &[CLIENT],
        Access::Bearer | Access::Presented | Access::User | Access::Admin | Access::Operator => &[BEARER, API_KEY],
    };
    schemes.iter().map(|scheme| SecurityRequirement::new(*scheme, [""; 0])).collect()
}

const BEARER: &str = "bearer";
const API_KEY: &str = "api_key";
const CLIENT: &str = "client";

fn components() -> Components {
    let mut components = Components::new();
    let http = |scheme, description| {
        SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(description)).build())
    };
    components.add_security_scheme(BEARER, http(HttpAuthScheme::Bearer, "An access token or an API key (RFC 6750)."));
    let description = "The same strings as with Bearer; X-API-Key does as well.";
    let key = ApiKey::Header(ApiKeyValue::with_description("api-key", description));
    components.add_security_scheme(API_KEY, SecurityScheme::ApiKey(key));
    components.add_security_scheme(
        CLIENT,
        http(
            HttpAuthScheme::Basic,
            "The id and secret of an OAuth client (RFC 6749 section 2.3.1), or client_id and client_secret in the body; a public \
             client sends its client_id only.",
        ),
    );
    answers::add_to(&mut components);
    components.schemas.extend(texts::of_parameters());
    components
}

//! The refusals that every operation of a kind may answer with, as components that the operations refer to.

use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Components, ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::http::oauth_error::OAuthErrorBody;
use crate::http::problem::Problem;
use crate::http::routes::Access;

/// The shape that the refusals of an operation have.
#[derive(Clone, Copy)]
enum Shape {
    OAuth,
    Problem,
}

/// What a status means, whichever operation answers with it.
const MEANINGS: [(u16, &str); 15] = [
    (400, "The request can't be accepted; what is wrong is named"),
    (401, "No valid credential was presented"),
    (403, "The caller may not do this"),
    (404, "There is no such thing, or it is not the caller's"),
    (405, "The method is not allowed here"),
    (408, "The body did not arrive in time"),
    (409, "The current state does not allow this"),
    (410, "It was there, and is not kept any more"),
    (412, "It was changed since it was read"),
    (413, "The body is too large"),
    (415, "The body has the wrong type"),
    (422, "The Idempotency-Key belongs to another request"),
    (428, "If-Match is required"),
    (429, "Too many requests"),
    (503, "The service can't decide this now; nothing is known to have changed"),
];

/// Adds the refusals that follow from who may call, from a body and from a parameter in the path. Those that the annotation names
/// get their shape.
pub(super) fn complete(access: Access, path: &str, is_edit: bool, operation: &mut Operation) {
    let mut refusals: Vec<u16> = match access {
        Access::Public | Access::Network | Access::Visitor | Access::Session | Access::AdminSession => Vec::new(),
        Access::Client => vec![400, 401, 503],
        Access::Bearer | Access::Presented | Access::User | Access::Admin | Access::Operator => {
            vec![400, 401, 403, 429, 503]
        }
    };
    let shape = match access {
        Access::Client | Access::Bearer | Access::Presented => Shape::OAuth,
        _ => Shape::Problem,
    };
    if operation.request_body.is_some() {
        refusals.extend([408, 413]);
        if matches!(shape, Shape::Problem) {
            refusals.push(415);
        }
    }
    if is_edit {
        refusals.extend([412, 428]);
    }
    if path.contains('{') && matches!(shape, Shape::Problem) {
        refusals.push(404);
    }
    for status in refusals {
        let key = status.to_string();
        operation.responses.responses.entry(key).or_insert_with(|| RefOr::Ref(reference(shape, status)));
    }
    for (status, response) in &mut operation.responses.responses {
        let status: u16 = status.parse().unwrap_or_default();
        if let RefOr::T(own) = response
            && status >= 400
            && own.content.is_empty()
        {
            if own.description.is_empty() {
                *response = RefOr::Ref(reference(shape, status));
            } else {
                let common = refusal(shape, status, &own.description);
                own.content = common.content;
                own.headers.extend(common.headers);
            }
        }
    }
}

/// The components that [`complete`] refers to.
pub(super) fn add_to(components: &mut Components) {
    for shape in [Shape::OAuth, Shape::Problem] {
        for (status, meaning) in MEANINGS {
            components.responses.insert(name(shape, status), refusal(shape, status, meaning).into());
        }
    }
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    OAuthErrorBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.schemas.extend([named::<Problem<'static>>(), named::<OAuthErrorBody<'static>>()]);
}

fn named<T: ToSchema>() -> (String, RefOr<utoipa::openapi::Schema>) {
    (T::name().into_owned(), T::schema())
}

fn refusal(shape: Shape, status: u16, description: &str) -> Response {
    let (media_type, schema) = match shape {
        Shape::OAuth => ("application/json", OAuthErrorBody::name()),
        Shape::Problem => ("application/problem+json", Problem::name()),
    };
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema.into_owned()))).build();
    let response = ResponseBuilder::new().description(description).content(media_type, content);
    let header = |kind, text: &str| {
        HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(kind))).description(Some(text)).build()
    };
    match status {
        401 => response.header("WWW-Authenticate", header(Type::String, "RFC 6750 section 3, RFC 9728")),
        429 | 503 => response.header("Retry-After", header(Type::Integer, "Seconds to wait")),
        _ => response,
    }
    .build()
}

fn reference(shape: Shape, status: u16) -> Ref {
    Ref::from_response_name(name(shape, status))
}

fn name(shape: Shape, status: u16) -> String {
    match shape {
        Shape::OAuth => format!("OAuthError{status}"),
        Shape::Problem => format!("Problem{status}"),
    }
}

//! What the annotation of one handler says.

use axum::http::Method;
use axum::routing::MethodRouter;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::{RefOr, Schema};

use crate::http::AppState;

/// By name.
type Schemas = Vec<(String, RefOr<Schema>)>;

/// An annotation, and the schemas of the types that it names.
pub(crate) struct Description {
    pub method: Method,
    pub path: String,
    pub operation: Operation,
    pub schemas: Schemas,
}

/// Takes an annotation out of what `utoipa_axum::routes!` makes of a handler; its router is not used, the table makes its own.
pub(crate) fn describe((schemas, paths, _): (Schemas, Paths, MethodRouter<AppState>)) -> Description {
    let (path, item) = paths.paths.into_iter().next().expect("an annotation names its path");
    let (method, operation) = only(item).expect("an annotation names one method");
    Description { method, path, operation, schemas }
}

fn only(item: PathItem) -> Option<(Method, Operation)> {
    let by_method = [
        (Method::GET, item.get),
        (Method::PUT, item.put),
        (Method::POST, item.post),
        (Method::DELETE, item.delete),
        (Method::PATCH, item.patch),
    ];
    by_method.into_iter().find_map(|(method, operation)| Some((method, operation?)))
}

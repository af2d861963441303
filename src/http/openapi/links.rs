//! From what makes a thing to what may be done with it: OpenAPI links, so that tools find their way.

use utoipa::openapi::RefOr;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{Operation, Paths};

/// Adds to each answer 201 of a collection a link to every operation on one of its things.
pub(super) fn add(paths: &mut Paths) {
    let targets: Vec<(String, String, String)> = paths
        .paths
        .iter()
        .flat_map(|(path, item)| {
            let operations = [&item.get, &item.put, &item.post, &item.delete, &item.patch].into_iter().flatten();
            let (collection, rest) = path.split_once("/{")?;
            let parameter = rest.split_once('}')?.0;
            let ids = operations.filter_map(|operation| operation.operation_id.clone());
            Some(ids.map(|id| (collection.to_owned(), parameter.to_owned(), id)).collect::<Vec<_>>())
        })
        .flatten()
        .collect();
    for (collection, parameter, target) in targets {
        let maker = paths.paths.get_mut(&collection).and_then(|item| item.post.as_mut());
        if let Some(RefOr::T(made)) = maker.and_then(|maker: &mut Operation| maker.responses.responses.get_mut("201")) {
            let id = format!("$response.body#{}", place_of_id(&collection, &parameter));
            let link = LinkBuilder::new().operation_id(target.clone()).parameter(&parameter, id);
            made.links.insert(target, RefOr::T(link.build()));
        }
    }
}

/// Where the answer to a creation has the id of what was made.
fn place_of_id(collection: &str, parameter: &str) -> String {
    match collection.rsplit('/').next() {
        Some("tokens") => "/token/id".to_owned(),
        Some("workspaces") => "/workspace/id".to_owned(),
        Some("clients") => format!("/{parameter}"),
        _ => "/id".to_owned(),
    }
}

//! The OAuth endpoints, `/oauth20/…` and `/.well-known/…`.

pub(crate) mod access_token;
mod asker;
pub(crate) mod introspect;
pub(crate) mod metadata;
pub(crate) mod revocations;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod verify;

use axum::http::request::Parts;
use axum::response::Response;

use super::AppState;
use super::client_credentials;
use super::form::Form;
use super::oauth_error::Answering;
use crate::service::client_auth::AuthenticatedClient;

/// Authenticates the client of a form request.
///
/// # Errors
/// The response to give instead.
async fn authenticate<'a>(
    state: &'a AppState,
    parts: &Parts,
    form: &mut Form,
) -> Result<(AuthenticatedClient, Answering<'a>), Response> {
    let mut answering = answering(state, parts);
    let read = client_credentials::read(&parts.headers, form).map_err(|error| answering.refusal(&error))?;
    answering.by_header = read.by_header;
    match state.service.authenticate(&read.presented).await {
        Ok(client) => Ok((client, answering)),
        Err(failure) => Err(answering.failure(&failure)),
    }
}

fn answering<'a>(state: &'a AppState, parts: &Parts) -> Answering<'a> {
    Answering { state, info: parts.extensions.get().cloned(), by_header: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<S, R, F>(_: fn(S, R) -> F) -> usize {
        size_of::<F>()
    }

    /// axum moves it into a box with every request, whatever of it is used.
    #[test]
    fn what_decides_about_a_token_is_small() {
        for (name, size) in [("introspect", size(introspect::introspect)), ("verify", size(verify::verify))] {
            assert!(size <= 2048, "{name} takes {size} bytes");
        }
    }
}

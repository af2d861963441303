mod access_token;
mod conformance;
mod introspect;
mod metadata;
mod refresh_on_any_endpoint;
mod revoke;
mod token;
mod verify;

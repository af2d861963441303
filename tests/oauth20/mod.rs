mod access_token;
mod conformance;
mod introspect;
mod metadata;
mod revoke;
mod token;
mod verify;

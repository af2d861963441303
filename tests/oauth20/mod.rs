mod access_token;
mod introspect;
mod metadata;
mod revoke;
mod token;
mod verify;

//! Floor 1: the pure rules of the product. No I/O, no clock of its own, no randomness of its own.

pub mod api;
pub mod base62;
pub mod catalog;
pub mod catalog_name;
pub mod client;
pub mod clock;
pub mod email;
pub mod entropy;
pub mod family;
pub mod grant;
pub mod ids;
pub mod keys;
pub mod legacy;
pub mod lifetime;
pub mod moment;
pub mod name;
pub mod password;
pub mod plan;
pub mod policy;
pub mod random_secret;
pub mod refusal;
pub mod scope;
pub mod seal;
pub mod secret;
pub mod token_string;
pub mod workspace_name;

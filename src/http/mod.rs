//! Floor 4: the wire. axum is named nowhere else. `routes` is the table of everything that is served.

#![expect(unused_qualifications, reason = "annotations of utoipa expand to them")]

mod admin;
mod api;
mod bearer;
mod caller;
mod client_credentials;
mod console;
mod context;
mod dry_run;
mod etag;
mod export;
mod form;
mod idempotency;
mod json;
mod leaks;
mod limits;
mod list_query;
mod location;
mod management;
mod media_type;
pub mod metrics;
mod notice;
mod oauth;
mod oauth_error;
pub mod openapi;
mod page;
mod path;
pub mod problem;
mod query;
mod records;
mod refresh;
mod refusals;
mod revision;
pub mod routes;
mod serve;
mod time_limit;
mod tokens;

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::response::Response;
use jeton_guard::Challenge;

pub use limits::{Limits, LiveLimits};
use metrics::Metrics;
pub use serve::App;

use crate::domain::clock::Timestamp;
use crate::service::Service;

/// What a handler gives: the response, or the one to give instead.
pub(crate) type Answer = Result<Response, Response>;

/// What handlers share: axum clones it for each request, which is one counter.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

/// See [`AppState`].
#[derive(Debug)]
pub struct Shared {
    pub(crate) service: Service,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) wire: Wire,
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Texts and limits that answers are made with.
#[derive(Debug)]
pub(crate) struct Wire {
    issuer: String,
    challenge: Challenge,
    basic_challenge: HeaderValue,
    limits: LiveLimits,
    openapi: OnceLock<Bytes>,
    /// The paths of all routes, as refusals name them.
    paths: Vec<&'static str>,
    started_at: Timestamp,
}

impl AppState {
    #[must_use]
    pub fn new(service: Service, metrics: Arc<Metrics>, limits: LiveLimits) -> Self {
        let issuer = service.settings.issuer.clone();
        let metadata = format!("{issuer}/.well-known/oauth-protected-resource");
        let wire = Wire {
            challenge: Challenge::new("jeton").resource_metadata(&metadata),
            basic_challenge: HeaderValue::from_static("Basic realm=\"jeton\", charset=\"UTF-8\""),
            issuer,
            limits,
            openapi: OnceLock::new(),
            paths: routes::public().iter().map(|route| route.path).collect(),
            started_at: service.clock.now(),
        };
        Self(Arc::new(Shared { service, metrics, wire }))
    }
}

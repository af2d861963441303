//! What every request goes through, around the router: id, time limit, panic guard, metrics, access log.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use tower::Service as _;

use super::context::{REQUEST_ID, RequestInfo, names_one_host, sane_request_id};
use super::metrics::RouteIndex;
use super::time_limit::time_limit;
use super::{AppState, LiveLimits, problem, routes};
use crate::domain::clock::Clock;
use crate::domain::entropy::Entropy;

/// One listener's application. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct App {
    router: Router,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: LiveLimits,
    clock: Clock,
    entropy: Entropy,
    index: RouteIndex,
    /// What stands before and behind the parameter in the paths whose bodies may take as long as they keep coming.
    streams: Vec<(&'static str, &'static str)>,
}

impl App {
    /// The public listener's.
    #[must_use]
    pub fn public(state: AppState) -> Self {
        Self::new(routes::public().into_iter().chain(routes::pages()).collect(), state)
    }

    /// The management listener's.
    #[must_use]
    pub fn management(state: AppState) -> Self {
        Self::new(routes::management(), state)
    }

    fn new(table: Vec<routes::Route>, state: AppState) -> Self {
        let index = state.metrics.index(table.iter().map(|route| route.path));
        let streams = table.iter().filter(|route| route.streams).filter_map(|route| {
            let (before, rest) = route.path.split_once('{')?;
            Some((before, rest.split_once('}')?.1))
        });
        let shared = Shared {
            streams: streams.collect(),
            limits: state.wire.limits.clone(),
            clock: state.service.clock.clone(),
            entropy: state.service.entropy.clone(),
            index,
        };
        Self { router: routes::router(table, state), shared: Arc::new(shared) }
    }

    /// Serves one request.
    ///
    /// # Errors
    /// None: every failure is a response.
    pub async fn serve(self, request: Request<Incoming>, peer: IpAddr) -> Result<Response, Infallible> {
        #[expect(clippy::disallowed_methods, reason = "measures, decides nothing")]
        let started = Instant::now();
        let shared = self.shared;
        let mut request = request.map(Body::new);
        let id = sane_request_id(request.headers()).cloned().unwrap_or_else(|| shared.new_request_id());
        let info = RequestInfo { id: id.clone(), peer };
        let route = shared.index.find(request.uri().path());
        let line = tracing::enabled!(target: "jeton::access", tracing::Level::DEBUG)
            .then(|| (request.method().clone(), request.uri().path().to_owned()));
        request.extensions_mut().insert(info);
        let mut response = match unacceptable(&request) {
            Some((kind, detail)) => problem::respond(kind, Some(&RequestInfo { id: id.clone(), peer }), detail, &[]),
            None => {
                let limit = shared.limit(request.uri().path());
                dispatch(self.router, request, limit, &id, peer).await
            }
        };
        response.headers_mut().insert(&REQUEST_ID, id.clone());
        let took = started.elapsed();
        route.observe(response.status().as_u16(), took);
        if let Some((method, path)) = line {
            tracing::debug!(
                target: "jeton::access",
                {
                    request.id = id.to_str().unwrap_or_default(),
                    http.method = %method,
                    http.path = path,
                    http.status = response.status().as_u16(),
                    client.address = %peer,
                    took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                },
                "request"
            );
        }
        Ok(response)
    }
}

/// What no route shall see.
fn unacceptable(request: &Request<Body>) -> Option<(problem::Kind, &'static str)> {
    if request.method() == Method::CONNECT {
        // Its 2xx answer would mean that a tunnel is open.
        return Some((problem::METHOD_NOT_ALLOWED, "this is not a proxy"));
    }
    let one_host = names_one_host(request.version(), request.headers());
    (!one_host).then_some((problem::INVALID, "a request names exactly one Host"))
}

async fn dispatch(
    mut router: Router,
    request: Request<Body>,
    limit: Duration,
    id: &HeaderValue,
    peer: IpAddr,
) -> Response {
    let info = || RequestInfo { id: id.clone(), peer };
    let answer = async {
        poll_fn(|cx| tower::Service::<Request<Body>>::poll_ready(&mut router, cx)).await?;
        router.call(request).await
    };
    match time_limit(limit, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(infallible))) => match infallible {},
        Ok(Err(_panic)) => {
            tracing::error!(request.id = id.to_str().unwrap_or_default(), "a handler panicked");
            problem::respond(problem::INTERNAL, Some(&info()), "the request could not be handled", &[])
        }
        Err(_elapsed) => {
            let detail = "the request took too long";
            let mut response = problem::respond(problem::UNAVAILABLE, Some(&info()), detail, &[]);
            debug_assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from_static("2"));
            response
        }
    }
}

/// An upload that takes longer is resumed.
const STREAM_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

impl Shared {
    /// How long a request for this path may take.
    fn limit(&self, path: &str) -> Duration {
        let streams = |(before, behind): &(&str, &str)| path.starts_with(before) && path.ends_with(behind);
        if self.streams.iter().any(streams) { STREAM_TIMEOUT } else { self.limits.request_timeout() }
    }

    /// A UUIDv7 (RFC 9562 §5.7).
    fn new_request_id(&self) -> HeaderValue {
        let ms = self.clock.now().ms().max(0).cast_unsigned();
        let id = uuid::Builder::from_unix_timestamp_millis(ms, &self.entropy.unique()).into_uuid();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let text: &str = id.hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-"))
    }
}

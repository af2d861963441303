//! `X-Refresh-Token`: a request with an expired access token and its refresh token is served with a new pair, which
//! comes back in the headers of the response.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use futures_util::future::{BoxFuture, Either};
use jeton_guard::{Guard, GuardFuture, GuardLayer, Refusal};
use tower::{Layer, ServiceExt as _};

use super::bearer::Refuse;
use super::{AppState, context, revision};
use crate::domain::grant::Revision;
use crate::service::Service;
use crate::service::sign_in::SignedIn;
use crate::service::token::{TokenAnswer, Undelivered};
use crate::service::validate::{AtLeast, unavailable};

const ACCESS_TOKEN: HeaderName = HeaderName::from_static("x-access-token");
const REFRESH_TOKEN: HeaderName = HeaderName::from_static("x-refresh-token");
const EXPIRES_IN: HeaderName = HeaderName::from_static("x-expires-in");
const REFRESH_EXPIRES_IN: HeaderName = HeaderName::from_static("x-refresh-token-expires-in");

/// Whether the request asks for it. Others must not pay for it.
pub(super) fn is_asked(headers: &HeaderMap) -> bool {
    headers.contains_key(REFRESH_TOKEN)
}

/// The new pair, made as of `at_least` or newer, if the request carries what it takes and the policy allows it.
///
/// # Errors
/// [`Refusal::Unavailable`] where it is not known whether the pair was made.
pub(super) async fn pair(state: &AppState, parts: &Parts, at_least: Revision) -> Result<Option<TokenAnswer>, Refusal> {
    let Ok(Some(presented)) = jeton_guard::credential(&parts.headers, parts.uri.query()) else {
        return Ok(None);
    };
    let mut given = parts.headers.get_all(REFRESH_TOKEN).iter();
    // Of two nobody knows which one is meant.
    let (Some(Ok(refresh)), None) = (given.next().map(HeaderValue::to_str), given.next()) else {
        return Ok(None);
    };
    let pair = async {
        // Before the old pair is used up.
        state.service.require_reached(at_least).await?;
        state.service.refresh_presented(presented.token(), refresh, &context::of(parts, state)).await
    };
    pair.await.map_err(|error| {
        tracing::warn!(error = ?error, "a request could not be refreshed");
        Refusal::Unavailable(unavailable(&error))
    })
}

/// Puts a pair into the headers of a response, whatever the response is: the old pair is used up.
pub(super) fn show(pair: &TokenAnswer, headers: &mut HeaderMap) {
    headers.insert(ACCESS_TOKEN, secret(pair.access_token.expose_secret()));
    headers.insert(EXPIRES_IN, HeaderValue::from(pair.expires_in));
    if let Some(refresh) = &pair.refresh {
        headers.insert(REFRESH_TOKEN, secret(refresh.refresh_token.expose_secret()));
        if let Some(seconds) = refresh.expires_in {
            headers.insert(REFRESH_EXPIRES_IN, HeaderValue::from(seconds));
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

fn secret(token: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(token).expect("a token string is letters, digits and underscores");
    value.set_sensitive(true);
    value
}

/// The request as if it had come with the new access token.
fn present(pair: &TokenAnswer, headers: &mut HeaderMap) {
    for used_up in [REFRESH_TOKEN, HeaderName::from_static("api-key"), HeaderName::from_static("x-api-key")] {
        headers.remove(used_up);
    }
    headers.insert(header::AUTHORIZATION, secret(&format!("Bearer {}", pair.access_token.expose_secret())));
}

/// The bearer middleware of this server's own routes.
#[derive(Clone)]
pub(super) struct BearerLayer<R> {
    guard: GuardLayer<Service, R>,
    shared: Arc<Shared<R>>,
}

struct Shared<R> {
    state: AppState,
    /// The same guard, for a token that was made by the request itself.
    undelivered: GuardLayer<Undelivered, R>,
    responder: R,
}

impl<R: Clone> BearerLayer<R> {
    pub(super) fn new(state: &AppState, responder: R) -> Self {
        let challenge = &state.wire.challenge;
        let undelivered = GuardLayer::new(Undelivered(state.service.clone()), challenge.clone());
        Self {
            guard: GuardLayer::new(state.service.clone(), challenge.clone()).responder(responder.clone()),
            shared: Arc::new(Shared {
                state: state.clone(),
                undelivered: undelivered.responder(responder.clone()),
                responder,
            }),
        }
    }
}

impl<S, R> Layer<S> for BearerLayer<R> {
    type Service = Bearer<S, R>;

    fn layer(&self, inner: S) -> Bearer<S, R> {
        Bearer { guard: self.guard.layer(inner), shared: Arc::clone(&self.shared) }
    }
}

/// A guarded route.
#[derive(Clone)]
pub(super) struct Bearer<S, R> {
    guard: Guard<S, Service, R>,
    shared: Arc<Shared<R>>,
}

impl<S, R> tower::Service<Request> for Bearer<S, R>
where
    S: tower::Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    R: Refuse,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<GuardFuture<S, Service, R, Body, Body>, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.guard.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.extensions().get::<Arc<SignedIn>>().is_some() {
            // Proven by a session already: there is no token to judge.
            Either::Right(Box::pin(self.guard.get_ref().clone().oneshot(request)))
        } else if is_asked(request.headers()) || revision::is_asked(request.headers()) {
            Either::Right(Box::pin(self.clone().specially(request)))
        } else {
            Either::Left(self.guard.call(request))
        }
    }
}

impl<S, R> Bearer<S, R>
where
    S: tower::Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    R: Refuse,
{
    /// A request that asks for a refresh, or for a revision.
    async fn specially(self, request: Request) -> Result<Response, Infallible> {
        let (parts, body) = request.into_parts();
        let at_least = match revision::at_least(&parts.headers) {
            Ok(at_least) => at_least,
            Err(detail) => return Ok(self.shared.responder.invalid(detail, &parts)),
        };
        if is_asked(&parts.headers) {
            return self.refresh(at_least, parts, body).await;
        }
        self.serve(at_least, Request::from_parts(parts, body)).await
    }

    /// Judges the token as of `at_least` or newer.
    async fn serve(self, at_least: Revision, request: Request) -> Result<Response, Infallible> {
        let Shared { state, responder, .. } = &*self.shared;
        let validator = AtLeast(state.service.clone(), at_least);
        let guard = GuardLayer::new(validator, state.wire.challenge.clone()).responder(responder.clone());
        guard.layer(self.guard.get_ref().clone()).oneshot(request).await
    }

    async fn refresh(self, at_least: Revision, mut parts: Parts, body: Body) -> Result<Response, Infallible> {
        let state = &self.shared.state;
        match pair(state, &parts, at_least).await {
            Ok(None) => self.serve(at_least, Request::from_parts(parts, body)).await,
            Ok(Some(pair)) => {
                present(&pair, &mut parts.headers);
                let guarded = self.shared.undelivered.layer(self.guard.get_ref().clone());
                let mut response = guarded.oneshot(Request::from_parts(parts, body)).await?;
                show(&pair, response.headers_mut());
                Ok(response)
            }
            Err(refusal) => Ok(self.shared.responder.refuse(&refusal, &state.wire.challenge, &parts)),
        }
    }
}

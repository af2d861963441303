//! Owns the middleware itself: it reads the credential, starts the validation, and hands the rest to the future.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::credential::credential;
use crate::future::GuardFuture;
use crate::layer::Rules;
use crate::refusal::Refusal;
use crate::responder::Responder;
use crate::validator::Validator;

/// Lets only requests with a good token through to the service `S`; made by [`GuardLayer`](crate::GuardLayer).
///
/// A request that is let through carries the valid token, a [`Validator::Token`], in its extensions. The others never reach
/// the service, and their bodies are dropped unread.
///
/// ```
/// use std::convert::Infallible;
///
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use jeton_guard::testing::TestTokens;
/// use jeton_guard::{Challenge, GuardLayer};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// async fn serve(_: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
///     Ok(Response::new(Full::default()))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = TestTokens::new().with("jtn_a_1", "orders:read");
/// let guard = GuardLayer::new(tokens, Challenge::new("orders")).layer(service_fn(serve));
/// let answer = guard.oneshot(Request::get("/").body(())?).await?;
/// assert_eq!(answer.headers()["www-authenticate"], r#"Bearer realm="orders""#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Guard<S, V, R> {
    inner: S,
    rules: Arc<Rules<V, R>>,
}

impl<S, V, R> Guard<S, V, R> {
    pub(crate) fn new(inner: S, rules: Arc<Rules<V, R>>) -> Self {
        Self { inner, rules }
    }

    /// The service behind the guard.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, V, R, ReqB, ResB> Service<Request<ReqB>> for Guard<S, V, R>
where
    S: Service<Request<ReqB>, Response = Response<ResB>> + Clone,
    V: Validator,
    R: Responder<ResB>,
{
    type Response = Response<ResB>;
    type Error = S::Error;
    type Future = GuardFuture<S, V, R, ReqB, ResB>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        // `poll_ready` was asked of this inner service, not of its clone. A refused call drops it, which gives back whatever
        // it has reserved.
        let clone = self.inner.clone();
        let ready = mem::replace(&mut self.inner, clone);

        let verdict = match credential(request.headers(), request.uri().query()) {
            Ok(Some(presented)) => Ok(self.rules.validator.validate(presented.token())),
            Ok(None) => Err(Refusal::Missing),
            Err(malformed) => Err(Refusal::Malformed(malformed)),
        };
        match verdict {
            Ok(verdict) => GuardFuture::validating(verdict, request, ready, Arc::clone(&self.rules)),
            Err(refusal) => GuardFuture::refused(self.rules.refuse(&refusal, request)),
        }
    }
}

impl<S: fmt::Debug, V, R> fmt::Debug for Guard<S, V, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("inner", &self.inner).field("rules", &self.rules).finish()
    }
}

impl<V, R> Rules<V, R> {
    pub(crate) fn refuse<ReqB, ResB>(&self, refusal: &Refusal, request: Request<ReqB>) -> Response<ResB>
    where
        R: Responder<ResB>,
    {
        let (parts, _unread) = request.into_parts();
        self.responder.refuse(refusal, &self.challenge, &parts)
    }
}

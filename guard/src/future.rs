//! Owns the future of a guarded request: first the validation, then the service or the refusal.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::layer::Rules;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::responder::Responder;
use crate::validator::{Outcome, Validator};

pin_project! {
    /// The response to a guarded request; made by [`Guard`](crate::Guard).
    ///
    /// It boxes nothing. Of a request that is let through, the one thing that allocates is the map of extensions in which
    /// the token is left.
    #[must_use = "futures do nothing unless polled"]
    pub struct GuardFuture<S, V, R, ReqB, ResB>
    where
        S: Service<Request<ReqB>>,
        V: Validator,
    {
        #[pin]
        state: State<S, V, R, ReqB, ResB>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, V, R, ReqB, ResB>
    where
        S: Service<Request<ReqB>>,
        V: Validator,
    {
        Validating {
            #[pin]
            verdict: V::Future,
            waiting: Option<Waiting<S, V, R, ReqB>>,
        },
        Serving {
            #[pin]
            response: S::Future,
            limits: Limits,
        },
        Refused {
            response: Option<Response<ResB>>,
        },
    }
}

/// What the validation holds up. `inner` is ready to be called.
struct Waiting<S, V, R, ReqB> {
    request: Request<ReqB>,
    inner: S,
    rules: Arc<Rules<V, R>>,
}

impl<S, V, R, ReqB, ResB> GuardFuture<S, V, R, ReqB, ResB>
where
    S: Service<Request<ReqB>>,
    V: Validator,
{
    pub(crate) fn validating(verdict: V::Future, request: Request<ReqB>, inner: S, rules: Arc<Rules<V, R>>) -> Self {
        let waiting = Some(Waiting { request, inner, rules });
        Self { state: State::Validating { verdict, waiting } }
    }

    pub(crate) fn refused(response: Response<ResB>) -> Self {
        let response = Some(response);
        Self { state: State::Refused { response } }
    }
}

impl<S, V, R, ReqB, ResB> Future for GuardFuture<S, V, R, ReqB, ResB>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
    V: Validator,
    R: Responder<ResB>,
{
    type Output = Result<Response<ResB>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Validating { verdict, waiting } => {
                    let outcome = ready!(verdict.poll(cx));
                    let waiting = waiting.take().expect("it is taken once, when this state ends");
                    waiting.resume(outcome)
                }
                StateProjection::Serving { response, limits } => {
                    let mut response = ready!(response.poll(cx))?;
                    limits.write(response.headers_mut());
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { response } => {
                    let response = response.take();
                    return Poll::Ready(Ok(response.expect("polled after completion")));
                }
            };
            state.set(next);
        }
    }
}

impl<S, V, R, ReqB> Waiting<S, V, R, ReqB>
where
    V: Validator,
{
    fn resume<ResB>(mut self, outcome: Outcome<V::Token>) -> State<S, V, R, ReqB, ResB>
    where
        S: Service<Request<ReqB>, Response = Response<ResB>>,
        R: Responder<ResB>,
    {
        match self.rules.decide(outcome) {
            Ok((token, limits)) => {
                self.request.extensions_mut().insert(token);
                let response = self.inner.call(self.request);
                State::Serving { response, limits }
            }
            Err(refusal) => {
                let response = Some(self.rules.refuse(&refusal, self.request));
                State::Refused { response }
            }
        }
    }
}

impl<V: Validator, R> Rules<V, R> {
    /// A limit is charged last: a request that is refused for another reason uses nothing up.
    fn decide(&self, outcome: Outcome<V::Token>) -> Result<(V::Token, Limits), Refusal> {
        let token = outcome.into_result()?;
        self.requirement.check(&token)?;
        let limits = self.validator.admit(&token, &self.requirement)?;
        Ok((token, limits))
    }
}

impl<S, V, R, ReqB, ResB> fmt::Debug for GuardFuture<S, V, R, ReqB, ResB>
where
    S: Service<Request<ReqB>>,
    V: Validator,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Validating { .. } => "Validating",
            State::Serving { .. } => "Serving",
            State::Refused { .. } => "Refused",
        };
        f.debug_tuple("GuardFuture").field(&state).finish()
    }
}

//! Owns the layer: what a guard is made of, put together once and shared by its services.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use crate::challenge::Challenge;
use crate::requirement::Requirement;
use crate::responder::JsonResponder;
use crate::service::Guard;
use crate::validator::Validator;

/// Puts a [`Guard`] in front of a service.
///
/// `V` is the [`Validator`], `R` the [`Responder`](crate::Responder). The example in the [crate docs](crate) mounts one.
///
/// ```
/// use std::convert::Infallible;
///
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::Full;
/// use jeton_guard::testing::TestTokens;
/// use jeton_guard::{Challenge, GuardLayer, Requirement};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// async fn serve(_: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
///     Ok(Response::new(Full::default()))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = TestTokens::new().with("jtn_a_1", "orders:read");
/// let layer = GuardLayer::new(tokens, Challenge::new("orders"));
/// let strict = layer.clone().require(Requirement::none().scope("orders:write"));
/// for (layer, status) in [(layer, 200), (strict, 403)] {
///     let request = Request::get("/").header("api-key", "jtn_a_1").body(())?;
///     assert_eq!(layer.layer(service_fn(serve)).oneshot(request).await?.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct GuardLayer<V, R = JsonResponder> {
    rules: Arc<Rules<V, R>>,
}

impl<V: Validator> GuardLayer<V> {
    /// Takes any valid token, and refuses with [`JsonResponder`].
    pub fn new(validator: V, challenge: Challenge) -> Self {
        Self {
            rules: Arc::new(Rules { validator, challenge, requirement: Requirement::none(), responder: JsonResponder }),
        }
    }
}

impl<V: Validator, R: Clone> GuardLayer<V, R> {
    /// Takes only tokens that meet a requirement, in place of an earlier one.
    #[must_use]
    pub fn require(mut self, requirement: Requirement) -> Self {
        Arc::make_mut(&mut self.rules).requirement = requirement;
        self
    }

    /// Refuses with another [`Responder`](crate::Responder).
    #[must_use]
    pub fn responder<R2>(self, responder: R2) -> GuardLayer<V, R2> {
        let rules = Arc::unwrap_or_clone(self.rules);
        GuardLayer {
            rules: Arc::new(Rules {
                validator: rules.validator,
                challenge: rules.challenge,
                requirement: rules.requirement,
                responder,
            }),
        }
    }
}

impl<S, V, R> Layer<S> for GuardLayer<V, R> {
    type Service = Guard<S, V, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Guard::new(inner, Arc::clone(&self.rules))
    }
}

impl<V, R> fmt::Debug for GuardLayer<V, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer").field("rules", &self.rules).finish()
    }
}

/// What all services of one layer share. Its `Debug` leaves the validator out, which may hold keys.
#[derive(Clone)]
pub(crate) struct Rules<V, R> {
    pub(crate) validator: V,
    pub(crate) challenge: Challenge,
    pub(crate) requirement: Requirement,
    pub(crate) responder: R,
}

impl<V, R> fmt::Debug for Rules<V, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("challenge", &self.challenge)
            .field("requirement", &self.requirement)
            .finish_non_exhaustive()
    }
}

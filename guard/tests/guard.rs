//! The guard as a service mounts it: every row of the table of bearer errors, and what tower asks of a middleware.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::{Builder, Parts};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use jeton_guard::{
    Challenge, GuardLayer, Inactive, Limit, Limits, Outcome, Refusal, Requirement, Responder, TokenView, Unavailable,
    Validator,
};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

const METADATA: &str = "https://orders.example/.well-known/oauth-protected-resource";

/// A token of the workspace `acme` with the scope `orders:read` and the API `orders`. `"good"` and `"spent"` are its strings;
/// the others are named after what is wrong with them.
#[derive(Clone, Debug, PartialEq)]
struct Token {
    string: String,
}

impl TokenView for Token {
    fn has_scope(&self, scope: &str) -> bool {
        scope == "orders:read"
    }

    fn covers_api(&self, api: &str) -> bool {
        api == "orders"
    }

    fn workspace(&self) -> &str {
        if self.string == "foreign" { "globex" } else { "acme" }
    }
}

#[derive(Clone, Default)]
struct Tokens {
    asked: Arc<AtomicU32>,
    admitted: Arc<AtomicU32>,
}

impl Validator for Tokens {
    type Token = Token;
    type Future = YieldOnce<Ready<Outcome<Token>>>;

    fn validate(&self, token: &str) -> Self::Future {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let outcome = match token {
            "good" | "spent" | "foreign" => Outcome::Active(Token { string: token.to_owned() }),
            "expired" => Outcome::Inactive(Inactive::Expired),
            "revoked" => Outcome::Inactive(Inactive::Revoked),
            "disabled" => Outcome::Inactive(Inactive::Disabled),
            "outage" => Outcome::Unavailable(Unavailable { retry_after_s: 2 }),
            _ => Outcome::Inactive(Inactive::Unproven),
        };
        YieldOnce { yielded: false, then: ready(outcome) }
    }

    fn admit(&self, token: &Token, _: &Requirement) -> Result<Limits, Refusal> {
        self.admitted.fetch_add(1, Ordering::Relaxed);
        let remaining = u32::from(token.string != "spent");
        let limit = Limit { policy: "gold".to_owned(), quota: 2, window_s: 60, remaining, reset_s: 60 };
        let limits = Limits::from_iter([limit]);
        if remaining == 0 {
            return Err(Refusal::LimitExceeded { retry_after_s: 30, limits });
        }
        Ok(limits)
    }
}

/// Pending at the first poll, as a validation that asks a store is.
struct YieldOnce<F> {
    yielded: bool,
    then: F,
}

impl<F: Future + Unpin> Future for YieldOnce<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if !self.yielded {
            self.yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.then).poll(cx)
    }
}

fn layer() -> GuardLayer<Tokens> {
    layer_of(Tokens::default())
}

fn layer_of(tokens: Tokens) -> GuardLayer<Tokens> {
    GuardLayer::new(tokens, Challenge::new("orders").resource_metadata(METADATA))
}

/// Answers with the token string that the guard has left.
async fn echo(request: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
    let token = request.extensions().get::<Token>().unwrap();
    Ok(Response::new(Full::from(token.string.clone())))
}

async fn answer(layer: GuardLayer<Tokens>, request: Builder) -> Response<Bytes> {
    let request = request.body(()).unwrap();
    let service = layer.layer(service_fn(echo));
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, body)
}

fn bearer(token: &str) -> Builder {
    Request::get("/orders").header(AUTHORIZATION, format!("Bearer {token}"))
}

fn assert_refused(response: &Response<Bytes>, status: u16, error: &str, challenge: Option<&str>) {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["error"], error);
    assert!(body["error_description"].is_string());

    let challenge = challenge.map(|middle| format!(r#"Bearer realm="orders"{middle}, resource_metadata="{METADATA}""#));
    let header = response.headers().get(WWW_AUTHENTICATE);
    let header = header.map(|header| header.to_str().unwrap());
    assert_eq!(header, challenge.as_deref());
}

fn assert_invalid_token(response: &Response<Bytes>, description: &str) {
    let middle = format!(r#", error="invalid_token", error_description="{description}""#);
    assert_refused(response, 401, "invalid_token", Some(&middle));
}

fn assert_invalid_request(response: &Response<Bytes>, description: &str) {
    let middle = format!(r#", error="invalid_request", error_description="{description}""#);
    assert_refused(response, 400, "invalid_request", Some(&middle));
}

#[tokio::test]
async fn a_good_token_reaches_the_service() {
    let response = answer(layer(), bearer("good")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.body(), "good");
}

#[tokio::test]
async fn the_api_key_headers_take_the_same_token() {
    for name in ["api-key", "X-API-Key"] {
        let response = answer(layer(), Request::get("/").header(name, "good")).await;
        assert_eq!(response.body(), "good", "{name}");
    }
}

#[tokio::test]
async fn the_scheme_is_matched_without_case() {
    let request = Request::get("/").header(AUTHORIZATION, "bEARER good");
    assert_eq!(answer(layer(), request).await.body(), "good");
}

#[tokio::test]
async fn nothing_presented_is_a_401_without_an_error_code() {
    let response = answer(layer(), Request::get("/orders")).await;
    assert_refused(&response, 401, "unauthorized", Some(""));
}

#[tokio::test]
async fn basic_credentials_are_nothing_presented() {
    let request = Request::get("/").header(AUTHORIZATION, "Basic dTpw");
    assert_refused(&answer(layer(), request).await, 401, "unauthorized", Some(""));
}

#[tokio::test]
async fn an_unknown_token_is_an_invalid_token() {
    let response = answer(layer(), bearer("unknown")).await;
    assert_invalid_token(&response, "The access token is not valid.");
}

#[tokio::test]
async fn an_expired_token_is_told_apart() {
    let response = answer(layer(), bearer("expired")).await;
    assert_invalid_token(&response, "The access token has expired.");
}

#[tokio::test]
async fn a_revoked_token_is_told_apart() {
    let response = answer(layer(), bearer("revoked")).await;
    assert_invalid_token(&response, "The access token has been revoked.");
}

#[tokio::test]
async fn a_disabled_token_is_told_apart() {
    let response = answer(layer(), bearer("disabled")).await;
    assert_invalid_token(&response, "The access token is disabled.");
}

#[tokio::test]
async fn a_token_of_another_workspace_gets_the_answer_of_an_unknown_one() {
    let acme = layer().require(Requirement::none().workspace("acme").scope("admin"));
    let foreign = answer(acme.clone(), bearer("foreign")).await;
    let unknown = answer(acme, bearer("unknown")).await;
    assert_eq!(foreign.status(), unknown.status());
    assert_eq!(foreign.headers(), unknown.headers());
    assert_eq!(foreign.body(), unknown.body());
}

#[tokio::test]
async fn a_second_credential_is_an_invalid_request() {
    let response = answer(layer(), bearer("good").header("X-API-Key", "good")).await;
    assert_invalid_request(&response, "The request carries more than one credential.");
}

#[tokio::test]
async fn a_malformed_header_is_an_invalid_request() {
    let response = answer(layer(), bearer("good, really")).await;
    assert_invalid_request(&response, "The credential in the request header is malformed.");
}

#[tokio::test]
async fn a_token_in_the_query_is_an_invalid_request() {
    let request = Request::get("/orders?access%5Ftoken=good");
    let response = answer(layer(), request).await;
    assert_invalid_request(&response, "An access token in the query string is not accepted.");
}

#[tokio::test]
async fn a_lacking_scope_is_insufficient_scope() {
    let layer = layer().require(Requirement::none().scope("orders:read").scope("orders:write"));
    let response = answer(layer, bearer("good")).await;
    let middle = concat!(
        r#", error="insufficient_scope", "#,
        r#"error_description="The access token lacks a scope that this request needs.", "#,
        r#"scope="orders:read orders:write""#,
    );
    assert_refused(&response, 403, "insufficient_scope", Some(middle));
}

#[tokio::test]
async fn a_lacking_api_is_insufficient_scope_without_a_scope() {
    let layer = layer().require(Requirement::none().scope("orders:read").api("bills"));
    let response = answer(layer, bearer("good")).await;
    let middle = concat!(
        r#", error="insufficient_scope", "#,
        r#"error_description="The access token does not cover this request.""#,
    );
    assert_refused(&response, 403, "insufficient_scope", Some(middle));
}

#[tokio::test]
async fn a_used_up_limit_is_a_429() {
    let response = answer(layer(), bearer("spent")).await;
    assert_refused(&response, 429, "rate_limited", None);
    assert_eq!(response.headers()[RETRY_AFTER], "30");
    assert_eq!(response.headers()["ratelimit"], "\"gold\";r=0;t=60");
}

#[tokio::test]
async fn an_outage_is_a_503_and_never_a_401() {
    let response = answer(layer(), bearer("outage")).await;
    assert_refused(&response, 503, "temporarily_unavailable", None);
    assert_eq!(response.headers()[RETRY_AFTER], "2");
}

#[tokio::test]
async fn a_request_that_is_not_covered_uses_no_limit_up() {
    let tokens = Tokens::default();
    let layer = layer_of(tokens.clone());
    answer(layer.clone().require(Requirement::none().scope("admin")), bearer("good")).await;
    assert_eq!(tokens.admitted.load(Ordering::Relaxed), 0);
    let served = answer(layer, bearer("good")).await;
    assert_eq!(tokens.admitted.load(Ordering::Relaxed), 1);
    assert_eq!(served.headers()["ratelimit-policy"], "\"gold\";q=2;w=60");
    assert_eq!(served.headers()["ratelimit"], "\"gold\";r=1;t=60");
}

#[tokio::test]
async fn the_validator_never_sees_a_malformed_credential() {
    let tokens = Tokens::default();
    answer(layer_of(tokens.clone()), bearer("a b")).await;
    answer(layer_of(tokens.clone()), Request::get("/?access_token=good")).await;
    assert_eq!(tokens.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_token_that_stood_in_the_extensions_before_is_replaced() {
    let planted = Token { string: "planted".to_owned() };
    let response = answer(layer(), bearer("good").extension(planted)).await;
    assert_eq!(response.body(), "good");
}

#[tokio::test]
async fn a_requirement_replaces_the_earlier_one_and_leaves_clones_alone() {
    let strict = layer().require(Requirement::none().scope("admin"));
    let lenient = strict.clone().require(Requirement::none());
    assert_eq!(answer(strict, bearer("good")).await.status(), 403);
    assert_eq!(answer(lenient, bearer("good")).await.status(), 200);
}

#[derive(Clone)]
struct RequestId(&'static str);

/// Answers with what it can read of the request.
#[derive(Clone)]
struct IdResponder;

impl Responder<Full<Bytes>> for IdResponder {
    fn refuse(&self, refusal: &Refusal, _: &Challenge, request: &Parts) -> Response<Full<Bytes>> {
        let RequestId(id) = request.extensions.get().unwrap();
        let mut response = Response::new(Full::from(format!("{id} {}", request.uri.path())));
        *response.status_mut() = refusal.status();
        response
    }
}

#[tokio::test]
async fn a_responder_reads_the_extensions_of_the_refused_request() {
    // Refused before the validation, and after it.
    for token in ["a b", "revoked"] {
        let request = bearer(token).extension(RequestId("id-1")).body(()).unwrap();
        let service = layer().responder(IdResponder).layer(service_fn(echo));
        let response = service.oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "id-1 /orders");
    }
}

/// A service whose readiness is its own: a clone is not ready, and a call that was not announced fails.
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let answer = Response::new(Full::default());
        ready(self.ready.then_some(answer).ok_or("called before it was ready"))
    }
}

#[tokio::test]
async fn the_service_that_was_made_ready_is_the_one_that_is_called() {
    let mut service = layer().layer(Strict { ready: false });
    for _ in 0..2 {
        poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
        let request = bearer("good").body(()).unwrap();
        assert_eq!(service.call(request).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_refused_request_gives_its_place_back() {
    let mut service =
        ServiceBuilder::new().layer(layer()).layer(ConcurrencyLimitLayer::new(1)).service(service_fn(echo));
    let mut other = service.clone();
    for token in ["a b", "revoked"] {
        poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
        let request = bearer(token).body(()).unwrap();
        assert!(service.call(request).await.unwrap().status().is_client_error());
        // Were the place still taken, this would stay pending.
        let taken = poll_fn(|cx| Poll::Ready(other.poll_ready(cx).is_pending())).await;
        assert!(!taken, "{token}");
        other = service.clone();
    }
}

#[tokio::test]
async fn an_error_of_the_service_passes_through() {
    let failing = service_fn(|_: Request<()>| async { Err::<Response<Full<Bytes>>, _>("out of order") });
    let request = bearer("good").body(()).unwrap();
    let error = layer().layer(failing).oneshot(request).await.unwrap_err();
    assert_eq!(error, "out of order");
}

#[test]
fn the_guard_and_its_future_can_move_between_threads() {
    fn assert_send<T: Send + 'static>(value: T) -> T {
        value
    }
    let mut guard = assert_send(layer().layer(Strict { ready: true }));
    let request = Request::new(());
    drop(assert_send(guard.call(request)));
}

#[test]
fn the_debug_forms_show_no_validator_and_no_token() {
    let layer = layer();
    let mut guard = layer.layer(service_fn(echo));
    let future = guard.call(bearer("good").body(()).unwrap());
    assert_eq!(format!("{future:?}"), r#"GuardFuture("Validating")"#);
    for shown in [format!("{layer:?}"), format!("{guard:?}")] {
        assert!(shown.contains("orders"), "{shown}");
        assert!(!shown.contains("validator"), "{shown}");
    }
}

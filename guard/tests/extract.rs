//! The extractor in a service on axum, with the double in place of a token service.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use jeton_guard::testing::TestTokens;
use jeton_guard::{Challenge, GuardLayer, Inactive, Introspection, Requirement, Valid};
use tower::ServiceExt as _;

async fn name(Valid(token): Valid<Introspection>) -> String {
    token.sub.unwrap_or_default()
}

async fn get_orders(app: Router) -> Response<Body> {
    let request = Request::get("/orders").header(AUTHORIZATION, "Bearer good").body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap()
}

fn guarded(tokens: &TestTokens) -> Router {
    let layer = GuardLayer::new(tokens.clone(), Challenge::new("orders"));
    Router::new().route("/orders", get(name)).layer(layer.require(Requirement::none().scope("orders:read")))
}

#[tokio::test]
async fn a_handler_gets_the_token_that_the_guard_has_left() {
    let answer = get_orders(guarded(&TestTokens::new().with("good", "orders:read"))).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "good");
}

#[tokio::test]
async fn a_handler_without_a_guard_lets_nobody_in() {
    assert_eq!(get_orders(Router::new().route("/orders", get(name))).await.status(), 500);
}

#[tokio::test]
async fn the_double_lacks_scopes_revokes_and_fails_as_the_real_one_does() {
    let tokens = TestTokens::new().with("good", "orders:write");
    assert_eq!(get_orders(guarded(&tokens)).await.status(), 403);
    let tokens = TestTokens::new().with("good", "orders:read");
    assert_eq!(get_orders(guarded(&tokens)).await.status(), 200);
    tokens.refuse("good", Inactive::Revoked);
    assert_eq!(get_orders(guarded(&tokens)).await.status(), 401);
    tokens.set_outage(true);
    let answer = get_orders(guarded(&tokens)).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()[RETRY_AFTER]), (503, &"1".parse().unwrap()));
    tokens.set_outage(false);
    assert_eq!(get_orders(guarded(&tokens)).await.status(), 401);
}

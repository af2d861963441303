//! The remote validator before a server that fails, lies or is slow. Before a real one: `tests/guard_remote.rs` of the server.

#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use jeton_guard::remote::{BuildError, RemoteValidator};
use jeton_guard::{Inactive, Outcome, Validator};

const GOOD: &str = r#"{"active":true,"token_type":"Bearer","sub":"ada"}"#;

/// Serves these routes; the URL.
async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// A validator that asks a server which answers each question so.
async fn before(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> RemoteValidator {
    let url = serve(Router::new().route("/oauth20/introspect", post(async move || answer))).await;
    RemoteValidator::builder(url, "id", "secret").build().unwrap()
}

fn retry_after(outcome: &Outcome<impl Sized>) -> Option<u32> {
    match outcome {
        Outcome::Unavailable(unavailable) => Some(unavailable.retry_after_s),
        Outcome::Active(_) | Outcome::Inactive(_) => None,
    }
}

#[tokio::test]
async fn an_answer_is_believed_and_without_a_stream_not_remembered() {
    let jeton = before(GOOD).await;
    assert!(matches!(jeton.validate("t").await, Outcome::Active(token) if token.sub.as_deref() == Some("ada")));
    assert_eq!((jeton.remembered(), jeton.is_following()), (0, false));
    let jeton = before(r#"{"active":false}"#).await;
    assert!(matches!(jeton.validate("t").await, Outcome::Inactive(Inactive::Unproven)));
}

#[tokio::test]
async fn a_server_that_fails_makes_no_token_bad() {
    for status in [400, 401, 403, 404, 429, 500, 502, 503] {
        let jeton = before((StatusCode::from_u16(status).unwrap(), r#"{"active":false}"#)).await;
        assert!(retry_after(&jeton.validate("t").await).is_some(), "{status}");
    }
    for text in ["", "{}", "[]", "<html>", r#"{"active":"yes"}"#] {
        assert!(retry_after(&before(text).await.validate("t").await).is_some(), "{text:?}");
    }
    let too_long = format!(r#"{{"active":true,"token_type":"Bearer","name":"{}"}}"#, "x".repeat(1 << 20));
    assert!(retry_after(&before(too_long).await.validate("t").await).is_some());
    let told = before((StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")])).await;
    assert_eq!(retry_after(&told.validate("t").await), Some(7));
    let elsewhere = before((StatusCode::TEMPORARY_REDIRECT, [("location", "http://127.0.0.1:9/")])).await;
    assert!(retry_after(&elsewhere.validate("t").await).is_some());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_waited_for_no_longer_than_that() {
    let url = serve(Router::new().route("/oauth20/introspect", post(std::future::pending::<&str>))).await;
    let jeton = RemoteValidator::builder(url, "id", "secret").timeout(Duration::from_millis(50)).build().unwrap();
    assert!(retry_after(&jeton.validate("t").await).is_some());
}

#[tokio::test]
async fn requests_with_one_token_share_a_question() {
    let (asked, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Semaphore::new(0)));
    let answer = {
        let (asked, gate) = (Arc::clone(&asked), Arc::clone(&gate));
        async move || {
            asked.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            GOOD
        }
    };
    let url = serve(Router::new().route("/oauth20/introspect", post(answer))).await;
    let builder = RemoteValidator::builder(url, "id", "secret").timeout(Duration::from_secs(30));
    for (jeton, questions) in [(builder.clone().build().unwrap(), 1), (builder.max_tokens(0).build().unwrap(), 3)] {
        asked.store(0, Ordering::SeqCst);
        let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(jeton.validate("t"))).collect();
        while asked.load(Ordering::SeqCst) < questions {
            tokio::task::yield_now().await;
        }
        gate.add_permits(questions);
        for answered in waiting {
            assert!(matches!(answered.await.unwrap(), Outcome::Active(_)));
        }
        assert_eq!(asked.load(Ordering::SeqCst), questions);
    }
}

#[tokio::test]
async fn a_request_that_goes_away_takes_the_question_of_others_not_along() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let answer = async move || {
        opened.acquire().await.unwrap().forget();
        GOOD
    };
    let url = serve(Router::new().route("/oauth20/introspect", post(answer))).await;
    let jeton = RemoteValidator::builder(url, "id", "secret").timeout(Duration::from_secs(30)).build().unwrap();
    let mut first = Box::pin(jeton.validate("t"));
    assert!(futures_pending(first.as_mut()).await);
    let second = jeton.validate("t");
    drop(first);
    gate.add_permits(1);
    assert!(matches!(second.await, Outcome::Active(_)));
}

async fn futures_pending<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

#[tokio::test]
async fn the_secret_is_form_encoded_in_basic_credentials_and_goes_to_no_other_server() {
    let echo = async |headers: HeaderMap| headers["authorization"].to_str().unwrap().to_owned();
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let answer = async move |headers: HeaderMap| {
        sender.send(echo(headers).await).unwrap();
        GOOD
    };
    let elsewhere = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&elsewhere);
    let other = serve(Router::new().fallback(async move || {
        counted.fetch_add(1, Ordering::SeqCst);
    }))
    .await;
    let redirect = (StatusCode::TEMPORARY_REDIRECT, [("location", other)]);
    let app = Router::new().route("/oauth20/introspect", post(answer));
    let url = serve(app.route("/oauth20/revocations", get(async move || redirect))).await;
    let jeton = RemoteValidator::builder(url, "a:b", "p%+").build().unwrap();
    assert!(matches!(jeton.validate("t").await, Outcome::Active(_)));
    // base64 of "a%3Ab:p%25%2B"
    assert_eq!(seen.recv().await.unwrap(), "Basic YSUzQWI6cCUyNSUyQg==");
    assert_eq!(elsewhere.load(Ordering::SeqCst), 0);
    assert!(!format!("{jeton:?}").contains("p%+"));
}

#[tokio::test]
async fn what_can_not_work_is_refused_when_it_is_built() {
    for url in ["", "auth.example", "ftp://auth.example", "https://user@auth.example", "https://"] {
        assert!(matches!(RemoteValidator::builder(url, "a", "b").build(), Err(BuildError::Url(_))), "{url}");
    }
    let builder = || RemoteValidator::builder("https://auth.example", "a", "b");
    assert!(matches!(builder().bound(Duration::from_secs(1)).build(), Err(BuildError::Time)));
    assert!(matches!(builder().bound(Duration::from_secs(61)).build(), Err(BuildError::Time)));
    assert!(matches!(builder().timeout(Duration::ZERO).build(), Err(BuildError::Time)));
}

#[test]
fn outside_a_runtime_it_is_refused() {
    let built = RemoteValidator::builder("https://auth.example", "a", "b").build();
    assert!(matches!(built, Err(BuildError::NoRuntime)));
}

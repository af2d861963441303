//! The baseline of everything that is answered from memory: axum with handlers that do nothing.
//!
//! It runs as a process of its own, as the server does, with the same allocator and as many workers. It takes the very
//! bytes that the server takes, on the same paths.

use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::routing::{get, post};
use tokio::net::TcpListener;

/// Serves until standard input ends: whoever started this process is gone then.
pub(crate) fn serve(body_bytes: usize) -> anyhow::Result<()> {
    std::thread::spawn(|| {
        let _ended = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        Ok(axum::serve(listener, router(Bytes::from(vec![b'x'; body_bytes]))).await?)
    })
}

fn router(body: Bytes) -> Router {
    Router::new()
        .route("/oauth20/introspect", post(answer))
        .route("/oauth20/access-token", get(answer))
        .route("/oauth20/verify", get(answer))
        .with_state(body)
}

/// Does not look at the request; hyper reads the body past.
async fn answer(State(body): State<Bytes>) -> ([(HeaderName, &'static str); 1], Bytes) {
    ([(CONTENT_TYPE, "application/json")], body)
}

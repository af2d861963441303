//! The baseline of everything that is answered from memory: axum with handlers that do nothing.
//!
//! It runs as a process of its own, as the server does, with the same allocator and as many workers. It takes the very
//! bytes that the server takes, on the same paths.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::cpu::Meter;
use crate::generator::Meters;
use crate::process::{self, Process};

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

/// This very program as a server that does nothing.
pub(crate) struct Bare {
    process: Process,
    pub(crate) address: SocketAddr,
}

impl Bare {
    pub(crate) fn start(body_bytes: usize, cores: Option<&str>) -> anyhow::Result<Self> {
        let mut command = process::command(std::env::current_exe()?, cores);
        command.args(["--bare-server", &body_bytes.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let stdout = process.child().stdout.take().context("standard output is piped")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().context("the bare server has not started")?;
        Ok(Self { process, address })
    }

    pub(crate) fn meters(&self) -> Meters {
        Meters { server: Some(Meter::Process(self.process.id())), database: None }
    }
}

//! An accept loop of our own on hyper: `axum::serve` sets no timer, so its header timeout would do nothing.
//!
//! A connection that does not send the head of a request in time is closed, as is one that is idle for as long. HTTP/2
//! without TLS is served to clients that begin with its preface, with TLS to those that name it in the handshake.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::head_timer::HeadTimer;
use super::places::{Place, Places};
use super::tls::{Tls, Turn, speaks_http2};
use crate::http::{App, LiveLimits};

/// A bound socket with its limits.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    places: Arc<Places>,
    limits: LiveLimits,
    tls: Option<Arc<Tls>>,
}

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 4096;
/// The head of a request: longer ones are answered with 431.
const MAX_HEAD_BYTES: u16 = 16 * 1024;
const MAX_HEADERS: usize = 100;
/// Requests of one HTTP/2 connection at the same time.
const MAX_STREAMS: u32 = 128;
/// How long to wait for the rest of a preface before looking again.
const PREFACE_PAUSE: Duration = Duration::from_millis(20);
/// How long accepting pauses when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Listener {
    /// # Errors
    /// When the address can't be bound.
    pub(super) fn bind(address: SocketAddr, max_connections: u32, limits: LiveLimits) -> std::io::Result<Self> {
        let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self::of(socket.listen(BACKLOG)?, max_connections, limits))
    }

    /// # Errors
    /// When the runtime can't wait for this socket.
    pub(super) fn take(
        socket: std::net::TcpListener,
        max_connections: u32,
        limits: LiveLimits,
    ) -> std::io::Result<Self> {
        Ok(Self::of(TcpListener::from_std(socket)?, max_connections, limits))
    }

    fn of(socket: TcpListener, max_connections: u32, limits: LiveLimits) -> Self {
        Self { socket, places: Places::new(max_connections), limits, tls: None }
    }

    /// Has it speak TLS.
    pub(super) fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls: tls.map(Arc::new), ..self }
    }

    /// Where its connections have their places.
    pub(super) const fn places(&self) -> &Arc<Places> {
        &self.places
    }

    /// Its TLS, if it speaks it.
    pub(super) const fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }

    /// # Errors
    /// The operating system's.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` turns true, then returns. Connections go on in `tasks` until their requests are answered.
    pub async fn serve(self, app: App, mut stop: watch::Receiver<bool>, tasks: TaskTracker, open: Arc<AtomicU64>) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = told(&mut stop) => return,
                accepted = self.accept() => accepted,
            };
            let (stream, peer, place) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // A peer that is gone already, or no descriptors left: neither ends the service.
                    tracing::debug!(%error, "a connection could not be accepted");
                    pause(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (app, stop, open, timeout) =
                (app.clone(), stop.clone(), Arc::clone(&open), self.limits.header_timeout());
            let tls = self.tls.clone().map(|tls| (tls.begin(), tls));
            tasks.spawn(async move {
                open.fetch_add(1, Ordering::Relaxed);
                let _best_effort = stream.set_nodelay(true);
                match tls {
                    None => serve_plain(stream, peer.ip(), app, timeout, stop).await,
                    Some((turn, tls)) => serve_encrypted(&tls, turn, stream, peer.ip(), app, timeout, stop).await,
                }
                open.fetch_sub(1, Ordering::Relaxed);
                drop(place);
            });
        }
    }

    async fn accept(&self) -> std::io::Result<(TcpStream, SocketAddr, Place)> {
        let place = self.places.take().await;
        let (stream, peer) = self.socket.accept().await?;
        Ok((stream, peer, place))
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for the operating system, not for the clock of the product")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

async fn serve_plain(stream: TcpStream, peer: IpAddr, app: App, timeout: Duration, stop: watch::Receiver<bool>) {
    if let Ok(Ok(is_http2)) = tokio::time::timeout(timeout, begins_like_http2(&stream)).await {
        serve_connection(stream, is_http2, peer, app, timeout, stop).await;
    }
}

async fn serve_encrypted(
    tls: &Tls,
    turn: Turn,
    stream: TcpStream,
    peer: IpAddr,
    app: App,
    timeout: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let accepted = tokio::select! {
        biased;
        () = told(&mut stop) => None,
        accepted = tls.accept(turn, stream) => accepted,
    };
    if let Some(stream) = accepted {
        let is_http2 = speaks_http2(&stream);
        serve_connection(stream, is_http2, peer, app, timeout, stop).await;
    }
}

async fn serve_connection<S>(
    stream: S,
    is_http2: bool,
    peer: IpAddr,
    app: App,
    timeout: Duration,
    stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| app.clone().serve(request, peer));
    let io = TokioIo::new(stream);
    if is_http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD_BYTES.into())
            .keep_alive_interval(timeout)
            .keep_alive_timeout(timeout)
            .serve_connection(io, service);
        let connection = std::pin::pin!(connection);
        drive(connection, stop, http2::Connection::graceful_shutdown, std::future::pending).await;
    } else {
        let timer = HeadTimer::start();
        let connection = http1::Builder::new()
            .timer(timer.clone())
            .header_read_timeout(timeout)
            .max_buf_size(MAX_HEAD_BYTES.into())
            .max_headers(MAX_HEADERS)
            .serve_connection(io, service);
        let connection = std::pin::pin!(connection);
        drive(connection, stop, http1::Connection::graceful_shutdown, || timer.clone().tick(timeout)).await;
    }
}

/// Runs a connection to its end, and looks at it after each `tick`; on `stop` it finishes the request that it is in.
async fn drive<C, T>(
    mut connection: std::pin::Pin<&mut C>,
    mut stop: watch::Receiver<bool>,
    shut_down: impl Fn(std::pin::Pin<&mut C>),
    tick: impl Fn() -> T,
) where
    C: Future<Output = Result<(), hyper::Error>>,
    T: Future<Output = ()>,
{
    let mut stopping = false;
    let result = loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => break result,
            () = told(&mut stop), if !stopping => {
                stopping = true;
                shut_down(connection.as_mut());
            }
            () = tick() => {}
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended");
    }
}

/// Returns once `stop` is true, or nobody is left to say so.
pub(super) async fn told(stop: &mut watch::Receiver<bool>) {
    let _guard_must_not_outlive_the_wait = stop.wait_for(|stop| *stop).await.map(drop);
}

/// Looks at the first bytes without taking them, until they are no beginning of the HTTP/2 preface (RFC 9113 §3.4) or
/// all of it.
async fn begins_like_http2(stream: &TcpStream) -> std::io::Result<bool> {
    const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let (mut start, mut wait) = ([0; PREFACE.len()], PREFACE_PAUSE);
    loop {
        let seen = stream.peek(&mut start).await?;
        if seen == 0 || start[..seen] != PREFACE[..seen] {
            return Ok(false);
        }
        if seen == PREFACE.len() {
            return Ok(true);
        }
        // Rarer each time: whoever sends a part of it and waits must not keep the process busy.
        pause(wait).await;
        wait *= 2;
    }
}

//! A TCP proxy that a test can slow down or cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Stands between a node and its database.
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Nothing passes, in either direction; connections stay open, as when a cable is pulled.
    cut: AtomicBool,
    delay_ms: AtomicU64,
}

const LOOK_EVERY: Duration = Duration::from_millis(5);

impl Proxy {
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<State>::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    state.wait().await;
                    if let Ok(far) = TcpStream::connect(target).await {
                        let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                        tokio::select! {
                            () = pump(near_read, far_write, &state) => {}
                            () = pump(far_read, near_write, &state) => {}
                        }
                    }
                });
            }
        });
        Self { address, state }
    }

    pub fn cut(&self, cut: bool) {
        self.state.cut.store(cut, Ordering::SeqCst);
    }

    /// Each packet waits for as long, in each direction.
    pub fn delay(&self, ms: u64) {
        self.state.delay_ms.store(ms, Ordering::SeqCst);
    }
}

impl State {
    async fn wait(&self) {
        pause(Duration::from_millis(self.delay_ms.load(Ordering::SeqCst))).await;
        while self.cut.load(Ordering::SeqCst) {
            pause(LOOK_EVERY).await;
        }
    }
}

async fn pump(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf, state: &State) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        state.wait().await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow network takes real time")]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

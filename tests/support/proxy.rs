//! A TCP proxy that a test can slow down or cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Stands between a client and its server.
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
                    pause(state.delay()).await;
                    state.passable().await;
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
    fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.load(Ordering::SeqCst))
    }

    async fn passable(&self) {
        while self.cut.load(Ordering::SeqCst) {
            pause(LOOK_EVERY).await;
        }
    }
}

/// A packet that waits keeps none behind it from setting out: they all arrive late, and in their order.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State) {
    let (sender, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            if sender.send((Instant::now() + state.delay(), buffer[..read].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, packet)) = waiting.recv().await {
            sleep_until(due).await;
            state.passable().await;
            if to.write_all(&packet).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}

#[expect(clippy::disallowed_methods, reason = "a slow network takes real time")]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

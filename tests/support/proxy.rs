//! A TCP proxy that a test can slow down or cut.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
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
    barrier: Mutex<Barrier>,
    delay_ms: AtomicU64,
    scattered: AtomicBool,
    /// Packets whose delay was drawn.
    drawn: AtomicU64,
    /// Not 0: packets could not pass since the barrier was set.
    held: AtomicUsize,
}

/// What does not pass. Connections stay open, as when a cable is pulled.
#[derive(Clone, Copy, Default)]
enum Barrier {
    #[default]
    Open,
    Cut,
    /// What the server says waits here.
    Replies,
    /// The same, but for connections that have asked PostgreSQL for notifications.
    Answers,
    /// What has come here since.
    Since(Instant),
}

const LOOK_EVERY: Duration = Duration::from_millis(5);
const LISTEN: &[u8] = b"LISTEN ";

impl Proxy {
    pub async fn start(target: SocketAddr) -> Self {
        Self::leading_to(move || target).await
    }

    /// Each connection goes to where this says by then.
    pub async fn leading_to(target: impl Fn() -> SocketAddr + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<State>::default());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (state, target) = (Arc::clone(&shared), target());
                tokio::spawn(async move {
                    pause(state.delay()).await;
                    let way = Way { state: &state, listens: AtomicBool::new(false) };
                    way.passable(Instant::now(), false).await;
                    if let Ok(far) = TcpStream::connect(target).await {
                        let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                        tokio::select! {
                            () = pump(near_read, far_write, &way, false) => {}
                            () = pump(far_read, near_write, &way, true) => {}
                        }
                    }
                });
            }
        });
        Self { address, state }
    }

    pub fn cut(&self, cut: bool) {
        self.state.set(if cut { Barrier::Cut } else { Barrier::Open });
    }

    /// The server hears the client, and the client not the server.
    pub fn hold_replies(&self) {
        self.state.set(Barrier::Replies);
    }

    /// As [`Self::hold_replies`], but notifications of PostgreSQL arrive, and answers to whoever has asked for them.
    pub fn hold_answers(&self) {
        self.state.set(Barrier::Answers);
    }

    /// Returns when something is held.
    pub async fn holds(&self) {
        while self.state.held.load(Ordering::SeqCst) == 0 {
            pause(LOOK_EVERY).await;
        }
    }

    /// What was on its way arrives; after it nothing.
    pub fn cut_behind(&self) {
        self.state.set(Barrier::Since(Instant::now()));
    }

    /// Each packet waits for as long, in each direction.
    pub fn delay(&self, ms: u64) {
        self.state.delay_ms.store(ms, Ordering::SeqCst);
    }

    /// Two of three packets pass within 30 ms, the others take 200 to 500 ms: what was sent later on another connection may arrive
    /// long before.
    pub fn scatter(&self, scattered: bool) {
        self.state.scattered.store(scattered, Ordering::SeqCst);
    }
}

impl State {
    fn set(&self, barrier: Barrier) {
        let mut own = self.barrier.lock().unwrap();
        self.held.store(0, Ordering::SeqCst);
        *own = barrier;
    }

    fn delay(&self) -> Duration {
        let fixed = self.delay_ms.load(Ordering::SeqCst);
        if !self.scattered.load(Ordering::SeqCst) {
            return Duration::from_millis(fixed);
        }
        Duration::from_millis(match mix(self.drawn.fetch_add(1, Ordering::SeqCst)) {
            slow if slow.is_multiple_of(3) => fixed + 200 + slow / 3 % 300,
            fast => fixed + fast / 3 % 30,
        })
    }
}

/// One connection.
struct Way<'s> {
    state: &'s State,
    /// For notifications.
    listens: AtomicBool,
}

impl Way<'_> {
    async fn passable(&self, read: Instant, reply: bool) {
        while self.stops(read, reply) {
            self.state.held.fetch_add(1, Ordering::SeqCst);
            pause(LOOK_EVERY).await;
        }
    }

    fn stops(&self, read: Instant, reply: bool) -> bool {
        match *self.state.barrier.lock().unwrap() {
            Barrier::Open => false,
            Barrier::Cut => true,
            Barrier::Replies => reply,
            Barrier::Answers => reply && !self.listens.load(Ordering::SeqCst),
            Barrier::Since(when) => read > when,
        }
    }
}

/// A packet that waits keeps none behind it from setting out: they all arrive late, and in their order.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: &Way<'_>, reply: bool) {
    let (sender, mut waiting) = mpsc::channel::<(Instant, Instant, Vec<u8>)>(1024);
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            if !reply && buffer[..read].windows(LISTEN.len()).any(|bytes| bytes == LISTEN) {
                way.listens.store(true, Ordering::SeqCst);
            }
            let now = Instant::now();
            if sender.send((now, now + way.state.delay(), buffer[..read].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((read, due, packet)) = waiting.recv().await {
            sleep_until(due).await;
            way.passable(read, reply).await;
            if to.write_all(&packet).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}

/// Of SplitMix64: numbers in a row become numbers that look drawn.
const fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 31)
}

#[expect(clippy::disallowed_methods, reason = "a slow network takes real time")]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

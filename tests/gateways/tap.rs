//! What stands where a gateway expects the token service: a line to the real one that counts, or nobody who answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Tap {
    pub address: SocketAddr,
    to_jeton: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Tap {
    /// Passes everything on.
    pub async fn before(jeton: SocketAddr) -> Self {
        let (listener, address) = listen().await;
        let to_jeton = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&to_jeton);
        let task = tokio::spawn(async move {
            while let Ok((gateway, _)) = listener.accept().await {
                tokio::spawn(pass_on(gateway, jeton, Arc::clone(&counter)));
            }
        });
        Self { address, to_jeton, task }
    }

    /// Takes connections and never says a word.
    pub async fn silent() -> Self {
        let (listener, address) = listen().await;
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((gateway, _)) = listener.accept().await {
                held.push(gateway);
            }
        });
        Self { address, to_jeton: Arc::default(), task }
    }

    /// Nobody listens any more once this returns.
    pub async fn stop(mut self) {
        self.task.abort();
        let _cancelled = (&mut self.task).await;
    }

    /// Bytes that a gateway has sent so far.
    pub fn bytes_to_jeton(&self) -> u64 {
        self.to_jeton.load(Ordering::Relaxed)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn pass_on(gateway: TcpStream, jeton: SocketAddr, counter: Arc<AtomicU64>) -> std::io::Result<()> {
    let (mut from_gateway, mut to_gateway) = gateway.into_split();
    let (mut from_jeton, mut to_jeton) = TcpStream::connect(jeton).await?.into_split();
    tokio::spawn(async move { copy(&mut from_jeton, &mut to_gateway).await });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from_gateway.read(&mut buffer).await?;
        counter.fetch_add(read as u64, Ordering::Relaxed);
        if read == 0 {
            return to_jeton.shutdown().await;
        }
        to_jeton.write_all(&buffer[..read]).await?;
    }
}

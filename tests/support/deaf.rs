//! Stands before PostgreSQL and keeps its notifications back, as a pooler without sessions does.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Deaf {
    url: String,
    accepting: JoinHandle<()>,
}

/// NotificationResponse of the frontend/backend protocol.
const NOTIFICATION: u8 = b'A';

impl Deaf {
    pub async fn before(url: &str) -> Self {
        let mut url = url::Url::parse(url).unwrap();
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(address.port())).unwrap();
        url.set_query(Some("sslmode=disable"));
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect((target.0.as_str(), target.1)).await.unwrap();
                let ((mut near_read, near_write), (far_read, mut far_write)) = (near.into_split(), far.into_split());
                tokio::spawn(async move { tokio::io::copy(&mut near_read, &mut far_write).await });
                tokio::spawn(without_notifications(far_read, near_write));
            }
        });
        Self { url: url.to_string(), accepting }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }
}

/// Each message is its type and its length, which counts itself.
async fn without_notifications(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut head = [0; 5];
    while from.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; length as usize - 4];
        if from.read_exact(&mut body).await.is_err() {
            return;
        }
        if head[0] != NOTIFICATION && (to.write_all(&head).await.is_err() || to.write_all(&body).await.is_err()) {
            return;
        }
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

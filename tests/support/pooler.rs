//! Stands before PostgreSQL and sends each query of a connection to another session, as a pooler by transaction may.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub struct Pooler {
    url: String,
    accepting: JoinHandle<()>,
}

/// Of the frontend/backend protocol: the end of an answer, a query without preparation.
const READY: u8 = b'Z';
const QUERY: u8 = b'Q';

impl Pooler {
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
                tokio::spawn(pool(near, target.clone()));
            }
        });
        Self { url: url.to_string(), accepting }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pool(mut near: TcpStream, target: (String, u16)) -> std::io::Result<()> {
    let start = packet(&mut near, None).await?;
    let mut sessions = Vec::new();
    for first in [true, false] {
        let mut session = TcpStream::connect((target.0.as_str(), target.1)).await?;
        session.write_all(&start).await?;
        let answer = answer(&mut session).await?;
        if first {
            near.write_all(&answer).await?;
        }
        sessions.push(session);
    }
    for number in 0.. {
        let kind = near.read_u8().await?;
        if kind != QUERY {
            // It says goodbye, or prepares, which is what such a pooler does not support.
            return Ok(());
        }
        let query = packet(&mut near, Some(kind)).await?;
        let session = &mut sessions[number % 2];
        session.write_all(&query).await?;
        near.write_all(&answer(session).await?).await?;
    }
    Ok(())
}

/// One message with its type, if it has one; its length counts itself.
async fn packet(from: &mut TcpStream, kind: Option<u8>) -> std::io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut whole: Vec<u8> = kind.into_iter().chain(length.to_be_bytes()).collect();
    let head = whole.len();
    whole.resize(head + length as usize - 4, 0);
    from.read_exact(&mut whole[head..]).await?;
    Ok(whole)
}

/// All messages up to the one that says that the next query may come.
async fn answer(from: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let kind = from.read_u8().await?;
        all.extend(packet(from, Some(kind)).await?);
        if kind == READY {
            return Ok(all);
        }
    }
}

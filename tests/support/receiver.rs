//! A receiver of webhooks, of bytes and sockets: what arrives is kept, and it answers as it is told.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// What a message is answered with.
#[derive(Debug)]
pub enum Reply {
    /// This text, as it stands.
    Bytes(String),
    /// Nothing: the connection is closed.
    HangUp,
    /// Nothing, for ever.
    Silence,
    /// 200, once this is told.
    When(oneshot::Receiver<()>),
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::Bytes(format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n"))
    }
}

/// A message, as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub head: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn id(&self) -> String {
        self.headers["webhook-id"].clone()
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    pub fn subject(&self) -> String {
        self.json()["subject"].as_str().unwrap().to_owned()
    }

    /// Whether one of its signatures is by this secret.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let signed = format!("{}.{}.{}", self.id(), self.headers["webhook-timestamp"], self.body);
        mac.update(signed.as_bytes());
        let own = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.signatures().any(|signature| signature == own)
    }

    pub fn signatures(&self) -> impl Iterator<Item = &str> {
        self.headers["webhook-signature"].split(' ')
    }
}

/// Listens on the loopback interface.
pub struct Receiver {
    pub address: SocketAddr,
    messages: tokio::sync::Mutex<UnboundedReceiver<Received>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

/// A message comes within a second, unless the machine is busy.
const PATIENCE: Duration = Duration::from_secs(30);

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, messages) = unbounded_channel();
        let replies = Arc::default();
        let answers = Arc::clone(&replies);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, told.clone(), Arc::clone(&answers)));
            }
        });
        Self { address, messages: messages.into(), replies }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?k=1", self.address)
    }

    /// The next messages are answered with these, in their order; those after them with 204.
    pub fn answer(&self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.lock().unwrap().extend(replies);
    }

    /// The next message.
    pub async fn next(&self) -> Received {
        let mut messages = self.messages.lock().await;
        tokio::time::timeout(PATIENCE, messages.recv()).await.expect("a message in time").unwrap()
    }

    /// The next so many.
    pub async fn take(&self, count: usize) -> Vec<Received> {
        let mut taken = Vec::new();
        for _ in 0..count {
            taken.push(self.next().await);
        }
        taken
    }

    /// Whether nothing has come that was not taken.
    pub async fn is_quiet(&self) -> bool {
        self.messages.lock().await.try_recv().is_err()
    }
}

async fn converse(mut stream: TcpStream, told: UnboundedSender<Received>, replies: Arc<Mutex<VecDeque<Reply>>>) {
    while let Some(message) = read(&mut stream).await {
        let reply = replies.lock().unwrap().pop_front().unwrap_or_else(|| Reply::status(204));
        if told.send(message).is_err() {
            return;
        }
        let text = match reply {
            Reply::Bytes(text) => text,
            Reply::HangUp => return,
            Reply::Silence => std::future::pending().await,
            Reply::When(go) => {
                let _go_or_gone = go.await;
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
        };
        if stream.write_all(text.as_bytes()).await.is_err() || text.contains("connection: close") {
            return;
        }
    }
}

/// The next message on a connection; `None` at its end, or for what is none.
async fn read(stream: &mut TcpStream) -> Option<Received> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut piece).await {
            Ok(count @ 1..) => bytes.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    };
    let text = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = text.lines();
    let head = lines.next()?.to_owned();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        match stream.read(&mut piece).await {
            Ok(count @ 1..) => body.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
    Some(Received { head, headers, body: String::from_utf8(body).ok()? })
}

//! One keep-alive connection: writes the bytes it is given, reads status and body, and nothing else.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub status: u16,
    /// The status line and the headers.
    pub head: &'a [u8],
    pub body: &'a [u8],
}

/// More than any answer has.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; MAX_ANSWER_BYTES] })
    }

    /// Sends one request and reads its answer.
    pub(crate) async fn call(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            filled += match self.stream.read(&mut self.buffer[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => read,
            };
            if let Some(head) = Head::read(&self.buffer[..filled])?
                && filled >= head.bytes + head.content_length
            {
                let (first, rest) = self.buffer.split_at(head.bytes);
                return Ok(Answer { status: head.status, head: first, body: &rest[..head.content_length] });
            }
        }
    }
}

struct Head {
    bytes: usize,
    status: u16,
    content_length: usize,
}

impl Head {
    /// `None` while the head is not complete.
    fn read(buffer: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&buffer[..end]).map_err(io::Error::other)?;
        let status = text.get(9..12).and_then(|digits| digits.parse().ok());
        let content_length = text.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        match (status, content_length) {
            (Some(status), Some(content_length)) => Ok(Some(Self { bytes: end + 4, status, content_length })),
            _ => Err(io::Error::other(format!("an answer without status or content-length: {text:?}"))),
        }
    }
}

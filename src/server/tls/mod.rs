//! TLS of a listener: certificates that can be exchanged while it runs, and handshakes that end in time.

mod certificate;
mod handshakes;

use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::ServerConfig;
use tokio_rustls::server::TlsStream;

pub(super) use certificate::Certificates;
pub(crate) use certificate::{Certificate, Files};
pub(super) use handshakes::Turn;
use handshakes::{HandshakeLimits, Handshakes};

use crate::config;
use crate::domain::clock::Timestamp;
use crate::http::metrics::tls::{Ended, TlsFigures};

/// What a listener needs to speak TLS.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) certificates: Arc<Certificates>,
    pub(super) figures: Arc<TlsFigures>,
    config: Arc<ServerConfig>,
    handshakes: Arc<Handshakes>,
}

/// The content type of a TLS record that begins a handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// For a client that speaks HTTP where it should speak TLS.
const HTTPS_ONLY: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
     content-length: 98\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\
     \"detail\":\"this port speaks HTTPS only\"}\r\n";
/// Of what such a client has sent, so much is taken before its connection is closed.
const MOST_OF_PLAIN_HTTP: u64 = 64 * 1024;

impl Tls {
    /// `listener` is what logs and metrics call it.
    ///
    /// # Errors
    /// When the certificate or its key can't be used.
    pub(super) fn new(listener: &'static str, config: &config::Tls) -> anyhow::Result<Self> {
        let certificates = Certificates::load(listener, &Files::of(config))
            .with_context(|| format!("TLS of the {listener} listener"))?;
        let certificates = Arc::new(certificates);
        let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .context("TLS")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificates) as _);
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let figures = Arc::new(TlsFigures::new(listener));
        figures.expires(certificates.expires());
        Ok(Self {
            certificates,
            figures,
            config: Arc::new(server),
            handshakes: Arc::new(Handshakes::new(limits(config))),
        })
    }

    /// Takes the limits, and the certificate that the files hold now. Where it can't be used, the log says why, and the
    /// old one stays.
    pub(super) fn reload(&self, config: &config::Tls, now: Timestamp) {
        self.handshakes.limit(limits(config));
        match self.certificates.reload(&Files::of(config), now) {
            Ok(()) => self.figures.expires(self.certificates.expires()),
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::from(error));
                tracing::error!(listener = self.certificates.listener(), error, "the certificate is left as it was");
            }
        }
    }

    /// A place among the handshakes. Taken as connections come in, so that it is the oldest of them that gives way.
    pub(super) fn begin(&self) -> Turn {
        self.handshakes.begin()
    }

    /// The encrypted stream, or none where there is nobody to serve. Takes no longer than a handshake may.
    pub(super) async fn accept(&self, mut turn: Turn, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let most = turn.timeout;
        let (stream, ended) = tokio::select! {
            biased;
            () = turn.given_up() => (None, Ended::GivenUp),
            shaken = timeout(most, self.shake_hands(stream)) => match shaken {
                Ok(shaken) => shaken,
                Err(_elapsed) => (None, Ended::TimedOut),
            },
        };
        self.figures.ended(ended);
        stream
    }

    async fn shake_hands(&self, mut stream: TcpStream) -> (Option<TlsStream<TcpStream>>, Ended) {
        let mut first = [0];
        if stream.peek(&mut first).await.is_ok_and(|seen| seen == 1) && first != [HANDSHAKE] {
            let _gone_already = refuse_plain_http(&mut stream).await;
            return (None, Ended::NotTls);
        }
        match TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).await {
            Ok(stream) => (Some(stream), Ended::Done),
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake failed");
                (None, Ended::Failed)
            }
        }
    }
}

fn limits(config: &config::Tls) -> HandshakeLimits {
    HandshakeLimits { most: config.max_handshakes, timeout: config.handshake_timeout.as_duration() }
}

/// Says why, in the clear, and takes what was sent: closed over bytes that nobody has read, a connection is reset, and
/// the answer lost.
async fn refuse_plain_http(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(HTTPS_ONLY.as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(MOST_OF_PLAIN_HTTP), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Whether the client has chosen HTTP/2 (ALPN, RFC 7301).
pub(super) fn speaks_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_plain_http_has_the_length_that_it_names() {
        let (head, body) = HTTPS_ONLY.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}

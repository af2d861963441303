//! Sockets that a service manager has opened before this process was started: sd_listen_fds(3). They stay while it is
//! restarted, and with them the connections that nobody has accepted yet.

use std::net::TcpListener;

use anyhow::Context as _;
use listenfd::ListenFd;

/// The sockets by what they are for.
#[derive(Debug, Default)]
pub struct Inherited {
    pub(super) http: Option<TcpListener>,
    pub(super) management: Option<TcpListener>,
}

impl Inherited {
    /// Takes what this process was given. To be called once, before there is a second thread: what it is read from is
    /// taken out of the environment, so that no child takes the sockets for its own.
    ///
    /// # Errors
    /// When a socket has no known name, one that another has, or is none that connections can be accepted from.
    pub fn take() -> anyhow::Result<Self> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut sockets = ListenFd::from_env();
        let mut inherited = Self::default();
        let names: Vec<&str> = names.split(':').collect();
        for index in 0..sockets.len() {
            let name = names.get(index).copied().unwrap_or_default();
            let place = match name {
                "http" => &mut inherited.http,
                "management" => &mut inherited.management,
                _ => anyhow::bail!(
                    "the service manager passes a socket named {name:?}: name it http or management (FileDescriptorName)"
                ),
            };
            let socket =
                sockets.take_tcp_listener(index).with_context(|| format!("the socket {name} can't be used"))?;
            let socket = socket.with_context(|| format!("the socket {name} is not there"))?;
            if !rustix::net::sockopt::socket_acceptconn(&socket).unwrap_or(false) {
                anyhow::bail!("the socket {name} does not listen: give it as ListenStream, with Accept=no");
            }
            socket.set_nonblocking(true).with_context(|| format!("the socket {name} can't be used"))?;
            if place.replace(socket).is_some() {
                anyhow::bail!("the service manager passes two sockets named {name}; one address each is supported");
            }
        }
        Ok(inherited)
    }
}

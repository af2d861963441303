//! The addresses that the service listens on, and the URL that it is reached under.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::Finding;
use crate::config::Config;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// An answer of a service is far shorter.
const MOST_BYTES: usize = 64 * 1024;

/// Whether clients can come by it, and whether their tokens are safe on the way.
pub(super) fn public_url(config: &Config) -> Finding {
    const CHECK: &str = "public URL";
    let issuer = config.issuer();
    if config.public_url.is_empty() {
        return Finding::warning(
            CHECK,
            format!("none: {issuer} is reached from this machine only"),
            "set public_url to the URL that clients use",
        );
    }
    let url = url::Url::parse(&config.public_url).ok();
    let host = url.as_ref().and_then(url::Url::host);
    let is_local = match host {
        Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => true,
    };
    if is_local {
        let advice = "set public_url to the name that clients use: it is the issuer of all tokens";
        return Finding::warning(CHECK, format!("{issuer} is reached from this machine only"), advice);
    }
    if url.is_some_and(|url| url.scheme() != "https") {
        let advice = "let a gateway speak TLS, or set http.tls, and make it an https URL";
        return Finding::error(CHECK, format!("{issuer}: tokens and secrets travel in the clear"), advice);
    }
    Finding::ok(CHECK, issuer)
}

/// Whether the addresses are free, or served by a service that is ready.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let public = ("public listener", config.http.listen, config.http.tls.is_on());
    let management = ("management listener", config.management.listen, config.management.tls.is_on());
    let mut findings = Vec::new();
    for (check, address, tls, path, what) in [
        (public.0, public.1, public.2, "/.well-known/oauth-authorization-server", Answer::Metadata(config.issuer())),
        (management.0, management.1, management.2, "/health/ready", Answer::Health),
    ] {
        findings.push(listener(check, address, tls, path, &what).await);
    }
    if !config.management.listen.ip().is_loopback() {
        let found = format!("it listens on {}, and asks nobody who they are", config.management.listen);
        findings.push(Finding::warning(
            "management listener",
            found,
            "keep it off the internet: only probes and Prometheus need it",
        ));
    }
    findings
}

/// What a service answers.
enum Answer {
    /// RFC 8414, with this issuer.
    Metadata(String),
    Health,
}

async fn listener(check: &'static str, address: SocketAddr, tls: bool, path: &str, what: &Answer) -> Finding {
    if address.port() == 0 {
        return Finding::ok(check, "the operating system chooses a port");
    }
    let here = reachable(address);
    match timeout(ANSWER_TIMEOUT, TcpStream::connect(here)).await {
        Ok(Ok(_somebody)) => {
            let scheme = if tls { "https" } else { "http" };
            served(check, address, ask(&format!("{scheme}://{here}{path}")).await, what)
        }
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => free(check, address),
        Ok(Err(error)) => Finding::error(check, format!("{address}: {error}"), "listen on an address of this machine"),
        Err(_elapsed) => {
            Finding::error(check, format!("{address} does not answer"), "see what listens there: ss -ltnp")
        }
    }
}

fn served(check: &'static str, address: SocketAddr, answer: Option<(u16, Value)>, what: &Answer) -> Finding {
    let in_use = |found: String| {
        Finding::error(check, found, "see what listens there (ss -ltnp), and stop it or choose another port")
    };
    let Some((status, body)) = answer else {
        return in_use(format!("{address} is in use by something that is not this service"));
    };
    match what {
        Answer::Health if status == 200 && body["status"] == "ready" => {
            Finding::ok(check, format!("{address}, served by a service that is ready"))
        }
        Answer::Health if body["status"].is_string() => {
            let found = format!(
                "{address}, served by a service that is not ready: {}",
                body["status"].as_str().unwrap_or_default()
            );
            Finding::error(check, found, "see its log")
        }
        Answer::Metadata(issuer) if body["issuer"] == issuer.as_str() => {
            Finding::ok(check, format!("{address}, served as {issuer}"))
        }
        Answer::Metadata(issuer) if body["issuer"].is_string() => {
            let found =
                format!("{address} is served by a service whose issuer is {}, and here it is {issuer}", body["issuer"]);
            Finding::error(
                check,
                found,
                "another service has the port, or this one was not restarted since public_url was changed",
            )
        }
        _ => in_use(format!("{address} is in use by something that is not this service")),
    }
}

/// Binds the address for a moment, and does not listen: a service that starts at this moment is not disturbed.
fn free(check: &'static str, address: SocketAddr) -> Finding {
    let bound = (|| {
        let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)
    })();
    match bound {
        Ok(()) => Finding::ok(check, format!("{address} is free")),
        Err(error) => {
            let advice = "listen on an address of this machine; ports below 1024 need CAP_NET_BIND_SERVICE";
            Finding::error(check, format!("{address}: {error}"), advice)
        }
    }
}

/// Where this machine reaches what listens there.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let own: IpAddr = if address.is_ipv6() { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() };
        address.set_ip(own);
    }
    address
}

async fn ask(url: &str) -> Option<(u16, Value)> {
    let client = reqwest::Client::builder()
        .timeout(ANSWER_TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // The certificate is made out to the name that others use. Nothing secret is sent or told.
        .tls_danger_accept_invalid_certs(true)
        .build();
    let mut response = client.ok()?.get(url).send().await.ok()?;
    let (status, mut body) = (response.status().as_u16(), Vec::new());
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return None;
        }
    }
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_public_url_is_https_and_of_another_machine() {
        for (url, verdict) in [
            ("", Verdict::Warning),
            ("https://auth.example.com", Verdict::Ok),
            ("http://auth.example.com", Verdict::Error),
            ("https://localhost:8443", Verdict::Warning),
            ("http://127.0.0.1:8080", Verdict::Warning),
            ("https://[::1]", Verdict::Warning),
            ("https://0.0.0.0", Verdict::Warning),
        ] {
            let config = Config { public_url: url.to_owned(), ..Config::default() };
            assert_eq!(public_url(&config).verdict, verdict, "{url}");
        }
    }
}

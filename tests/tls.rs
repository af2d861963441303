//! TLS of the listeners, with clients that are not ours.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::deploy::metrics::catalogue_has_tls;
use crate::support::certificates::{Authority, Issued};
use crate::support::process::{self, Jeton};

/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A configuration file with TLS on both listeners.
fn configured(directory: &Path, issued: &Issued, more: &str) -> String {
    let file = directory.join("jeton.toml");
    let tls = format!("certificate = {:?}\nkey = {:?}\n", issued.certificate, issued.key);
    std::fs::write(&file, format!("[http.tls]\n{tls}{more}[management.tls]\n{tls}")).unwrap();
    file.to_str().unwrap().to_owned()
}

fn start(directory: &Path, issued: &Issued, more: &str) -> Jeton {
    Jeton::start(directory, &[("JETON_CONFIG", &configured(directory, issued, more))])
}

fn curl(authority: &Path, arguments: &[&str]) -> Output {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "60", "--cacert"]).arg(authority);
    curl.args(["--output", "/dev/null", "--write-out", "%{http_code} %{http_version} %{scheme}"]);
    curl.args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).to_lowercase()
}

/// A connection to it of a client that knows this authority, for HTTP/1.1.
async fn connect(jeton: &Jeton, authority: &Authority) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address(jeton)).await?;
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
}

fn address(jeton: &Jeton) -> &str {
    jeton.public.strip_prefix("http://").unwrap()
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

/// The status of one request on a connection that stays.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /oauth20/verify HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await.unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..length]);
    }
    String::from_utf8(answer).unwrap()[..12].to_owned()
}

/// Waits until the log has this so many times.
async fn logged(jeton: &Jeton, what: &str, times: usize) {
    let mut look = interval(Duration::from_millis(20));
    let appears = async {
        while jeton.log().matches(what).count() < times {
            look.tick().await;
        }
    };
    assert!(timeout(PATIENCE, appears).await.is_ok(), "no {what} in {}", jeton.log());
}

#[test]
fn curl_is_served_in_every_version_that_is_safe() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let known = directory.path().join("authority.pem");
    std::fs::write(&known, authority.pem()).unwrap();
    let issued = authority.issue(directory.path(), "server", 90);
    let jeton = start(directory.path(), &issued, "");
    let url = format!("https://{}/oauth20/verify", address(&jeton));
    for (arguments, expected) in [
        (&["--http2", "--tlsv1.3"][..], "401 2 https"),
        (&["--http1.1", "--tlsv1.3"], "401 1.1 https"),
        (&["--http2", "--tls-max", "1.2"], "401 2 https"),
    ] {
        let output = curl(&known, &[arguments, &[&url]].concat());
        assert_eq!(said(&output), expected, "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!curl(&known, &["--tls-max", "1.1", "--tlsv1.0", &url]).status.success());
    let management = jeton.management.replace("http://", "https://");
    assert_eq!(said(&curl(&known, &[&format!("{management}/health/ready")])), "200 2 https");
    let mut health = process::command();
    health.env("JETON_CONFIG", directory.path().join("jeton.toml"));
    let health = health.env("JETON__MANAGEMENT__LISTEN", jeton.management.strip_prefix("http://").unwrap());
    assert!(health.arg("health").current_dir(directory.path()).status().unwrap().success());
    // Issuer and cookies go by it.
    let mut discovery = Command::new("curl");
    discovery.args(["-sS", "--noproxy", "*", "--cacert"]).arg(&known);
    discovery.arg(url.replace("/oauth20/verify", "/.well-known/oauth-authorization-server"));
    let discovery = discovery.output();
    let discovery: serde_json::Value = serde_json::from_slice(&discovery.unwrap().stdout).unwrap();
    assert_eq!(discovery["issuer"], format!("https://{}", address(&jeton)));
}

/// What the process says that does not start with these files.
fn refused(directory: &Path, certificate: &Path, key: &Path) -> String {
    let mut serve = process::command();
    serve.current_dir(directory).env("JETON__DATA_DIR", directory.join("data"));
    serve.env("JETON__HTTP__LISTEN", "127.0.0.1:0").env("JETON__MANAGEMENT__LISTEN", "127.0.0.1:0");
    serve.env("JETON__HTTP__TLS__CERTIFICATE", certificate).env("JETON__HTTP__TLS__KEY", key);
    let output = serve.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_certificate_that_cannot_be_used_keeps_it_from_starting_and_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (one, two) = (authority.issue(directory.path(), "one", 90), authority.issue(directory.path(), "two", 90));
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let key = std::fs::read_to_string(&one.key).unwrap();
    let garbage = file("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let encrypted = file("encrypted.key", &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
    let (empty, missing) = (file("empty.pem", ""), directory.path().join("missing.pem"));
    for (certificate, key, says) in [
        (&one.certificate, &two.key, "does not belong to the certificate"),
        (&missing, &one.key, "missing.pem can't be read"),
        (&one.certificate, &missing, "missing.pem can't be read"),
        (&empty, &one.key, "empty.pem holds no certificate"),
        (&garbage, &one.key, "garbage.pem can't be read"),
        (&one.certificate, &encrypted, "encrypted.key is no PEM file with an unencrypted private key"),
        (&one.certificate, &one.certificate, "one.pem is no PEM file with an unencrypted private key"),
    ] {
        let said = refused(directory.path(), certificate, key);
        assert!(said.contains(says) && said.contains("TLS of the public listener"), "{says}: {said}");
    }
}

#[tokio::test]
async fn a_certificate_that_has_ended_is_warned_of_and_refused_by_clients() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let jeton = start(directory.path(), &authority.issue(directory.path(), "ended", -1), "");
    logged(&jeton, "the certificate ended at ", 2).await;
    assert!(connect(&jeton, &authority).await.is_err());
    let directory = tempfile::tempdir().unwrap();
    let jeton = start(directory.path(), &authority.issue(directory.path(), "ending", 10), "");
    logged(&jeton, "the certificate ends soon, at ", 2).await;
    assert_eq!(ask(&mut connect(&jeton, &authority).await.unwrap()).await, "HTTP/1.1 401");
}

#[tokio::test]
async fn sighup_exchanges_the_certificate_and_a_broken_one_leaves_the_old() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let old = authority.issue(directory.path(), "server", 90);
    let jeton = start(directory.path(), &old, "");
    let mut kept = connect(&jeton, &authority).await.unwrap();
    assert_eq!((ask(&mut kept).await.as_str(), shown(&kept)), ("HTTP/1.1 401", old.der.clone()));
    logged(&jeton, "TLS with this certificate", 2).await;

    let new = authority.issue(directory.path(), "server", 60);
    jeton.signal("-HUP");
    logged(&jeton, "TLS with this certificate", 4).await;
    assert_eq!(shown(&connect(&jeton, &authority).await.unwrap()), new.der);
    assert_eq!(ask(&mut kept).await, "HTTP/1.1 401", "a connection was dropped");

    let text = std::fs::read_to_string(&new.certificate).unwrap();
    std::fs::write(&new.certificate, &text[..text.len() / 2]).unwrap();
    jeton.signal("-HUP");
    logged(&jeton, "the certificate is left as it was", 2).await;
    assert_eq!(shown(&connect(&jeton, &authority).await.unwrap()), new.der);

    authority.issue(directory.path(), "server", -1);
    jeton.signal("-HUP");
    logged(&jeton, "and the one in use has not", 2).await;
    assert_eq!(shown(&connect(&jeton, &authority).await.unwrap()), new.der);

    // In another place, and for the public listener only.
    let moved = authority.issue(directory.path(), "moved", 30);
    configured(directory.path(), &moved, "");
    jeton.signal("-HUP");
    logged(&jeton, "TLS with this certificate", 6).await;
    let mut fresh = connect(&jeton, &authority).await.unwrap();
    assert_eq!(shown(&fresh), moved.der);
    assert_eq!(ask(&mut fresh).await, "HTTP/1.1 401");
    assert_eq!(ask(&mut kept).await, "HTTP/1.1 401", "a connection was dropped");
}

#[test]
fn plain_http_to_the_tls_port_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let jeton = start(directory.path(), &Authority::new().issue(directory.path(), "server", 90), "");
    let large = "x".repeat(60_000);
    for more in [&[][..], &["--data", &large], &["--http2-prior-knowledge"]] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "--max-time", "60"]).args(more).arg(&jeton.public);
        let output = curl.output().unwrap();
        let (answer, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // To a client that wants frames of HTTP/2 it is none.
        let told = answer.contains("this port speaks HTTPS only");
        assert!(told || more == ["--http2-prior-knowledge"] && !output.status.success(), "{answer} {error}");
    }
}

async fn metrics(jeton: &Jeton, authority: &Authority) -> String {
    let url = jeton.management.replace("http://", "https://");
    let client = reqwest::Client::builder().no_proxy();
    let root = reqwest::Certificate::from_der(&authority.der()).unwrap();
    let client = client.tls_certs_only([root]).build().unwrap();
    client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap()
}

/// `jeton_tls_handshakes_total` of the public listener.
async fn handshakes(jeton: &Jeton, authority: &Authority, result: &str) -> u64 {
    let text = metrics(jeton, authority).await;
    let sample = format!("jeton_tls_handshakes_total{{listener=\"public\",result=\"{result}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&sample)).unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_catalogue_of_metrics_names_those_of_tls() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let jeton = start(directory.path(), &authority.issue(directory.path(), "server", 90), "");
    let url = jeton.public.replace("http://", "https://");
    let root = reqwest::Certificate::from_der(&authority.der()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    let answer = client.get(format!("{url}/oauth20/verify")).bearer_auth(jeton.admin_key()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    catalogue_has_tls(&metrics(&jeton, &authority).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_are_left_lying_keep_nobody_out() {
    const MOST: u64 = 8;
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let more = format!("max_handshakes = {MOST}\nhandshake_timeout = \"5s\"\n");
    let jeton = start(directory.path(), &authority.issue(directory.path(), "server", 90), &more);
    let mut slow = Vec::new();
    for number in 0..10 * MOST {
        let mut stream = TcpStream::connect(address(&jeton)).await.unwrap();
        // Half of them begin a record that never ends.
        if number % 2 == 0 {
            stream.write_all(&[22, 3, 1, 1]).await.unwrap();
        }
        slow.push(stream);
    }
    assert_eq!(ask(&mut connect(&jeton, &authority).await.unwrap()).await, "HTTP/1.1 401");
    // Everyone has been hung up on by then: those that were given up, and the last by time.
    for stream in &mut slow {
        let mut rest = Vec::new();
        let _reset_is_an_end_too = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it is closed");
    }
    let (given_up, timed_out) =
        (handshakes(&jeton, &authority, "given_up").await, handshakes(&jeton, &authority, "timed_out").await);
    assert!(given_up >= 9 * MOST && timed_out <= MOST && given_up + timed_out == 10 * MOST, "{given_up} {timed_out}");
    assert_eq!(handshakes(&jeton, &authority, "done").await, 1);
}

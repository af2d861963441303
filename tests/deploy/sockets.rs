//! Sockets that are handed to the process, as systemd does: they outlive it.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::process::{self, Jeton};

/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const CLIENTS: usize = 8;

/// Runs the binary as its own process with these two as descriptors 3 and 4.
const EXEC: &str = "exec 3<&0 4<&1 </dev/null >/dev/null; export LISTEN_PID=$$; exec \"$0\" serve";

fn socket() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn handed(first: &TcpListener, second: &TcpListener, names: &str) -> Command {
    let descriptor = |socket: &TcpListener| Stdio::from(OwnedFd::from(socket.try_clone().unwrap()));
    let binary = process::command();
    let mut shell = Command::new("sh");
    shell.args(["-c", EXEC]).arg(binary.get_program());
    for (name, value) in binary.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.env("LISTEN_FDS", names.split(':').count().to_string()).env("LISTEN_FDNAMES", names);
    shell.stdin(descriptor(first)).stdout(descriptor(second));
    shell
}

fn start(directory: &Path, public: &TcpListener, management: &TcpListener) -> Jeton {
    // Addresses that can't be bound: if they were used, it would not start.
    let unused = [("JETON__HTTP__LISTEN", "127.0.0.1:1"), ("JETON__MANAGEMENT__LISTEN", "127.0.0.1:1")];
    Jeton::spawn(handed(public, management, "http:management"), directory, &unused)
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(PATIENCE).build().unwrap()
}

async fn status(client: &reqwest::Client, address: SocketAddr, path: &str) -> u16 {
    let url = format!("http://{address}{path}");
    client.get(&url).send().await.unwrap_or_else(|error| panic!("{url}: {error:?}")).status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_during_a_restart_wait_and_none_fails() {
    let directory = tempfile::tempdir().unwrap();
    let (public, management) = (socket(), socket());
    let (address, management_address) = (public.local_addr().unwrap(), management.local_addr().unwrap());
    let mut first = start(directory.path(), &public, &management);
    assert_eq!(first.public, format!("http://{address}"));
    assert_eq!(status(&client(), management_address, "/health/ready").await, 200);

    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let over = Arc::clone(&over);
            tokio::spawn(async move {
                let (client, mut answered) = (client(), 0);
                while !over.load(Ordering::Relaxed) {
                    assert_eq!(status(&client, address, "/oauth20/verify").await, 401);
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for _ in 0..2 {
        first.signal("-TERM");
        assert!(first.ended_cleanly());
        // Nobody accepts now.
        let waiting = tokio::spawn(async move { status(&client(), address, "/oauth20/verify").await });
        first = start(directory.path(), &public, &management);
        assert_eq!(waiting.await.unwrap(), 401);
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.await.expect("no request fails") > 0);
    }
}

/// What is said by a process that does not start.
fn refused(command: &mut Command) -> String {
    let directory = tempfile::tempdir().unwrap();
    command.current_dir(directory.path()).env("JETON__DATA_DIR", directory.path().join("data"));
    let Output { status, stderr, .. } = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

#[test]
fn sockets_that_are_not_understood_keep_it_from_starting() {
    let (one, two) = (socket(), socket());
    let said = refused(&mut handed(&one, &two, "http:jeton.socket"));
    assert!(said.contains("jeton.socket") && said.contains("FileDescriptorName"), "{said}");
    let said = refused(&mut handed(&one, &two, "http:http"));
    assert!(said.contains("two sockets named http"), "{said}");
    let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
    let said = refused(&mut handed(&everywhere, &two, "http:management"));
    assert!(said.contains("public_url"), "{said}");
    let (file, directory) = (socket(), tempfile::tempdir().unwrap());
    let mut no_socket = handed(&file, &two, "http");
    no_socket.stdin(std::fs::File::create(directory.path().join("file")).unwrap());
    let said = refused(&mut no_socket);
    assert!(said.contains("the socket http can't be used"), "{said}");
}

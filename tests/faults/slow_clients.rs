//! Thousands of connections that never finish a request do not stop a normal client.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::process::Jeton;

const CONNECTIONS: usize = 10_000;
/// Requests of the normal client meanwhile.
const REQUESTS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs 10 000 file descriptors in each of two processes: cargo xtask test"]
async fn ten_thousand_slow_connections_do_not_stop_a_normal_client() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let server = Jeton::start(directory.path(), &[]);
    let address = server.public.strip_prefix("http://").unwrap().to_owned();
    let mut slow = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let mut stream =
            TcpStream::connect(&address).await.unwrap_or_else(|error| panic!("connection {number}: {error}"));
        stream.write_all(b"G").await.unwrap();
        slow.push(stream);
    }
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let (key, mut rest) = (server.admin_key(), b"ET / HTTP/1.1\r\nx: ".iter().cycle());
    for turn in 0..REQUESTS {
        let answer = client.get(format!("{}/oauth20/verify", server.public)).bearer_auth(&key).send().await;
        assert_eq!(answer.unwrap_or_else(|error| panic!("request {turn}: {error}")).status(), 200);
        // One more byte on a part of the connections, as each would send every few seconds.
        let byte = [*rest.next().unwrap()];
        for stream in slow.iter_mut().skip(turn % 20).step_by(20) {
            let _cut_off_already = stream.write_all(&byte).await;
        }
    }
}

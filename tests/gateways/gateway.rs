//! A gateway as a process of its own, with its recipe as it stands but for addresses and directories.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::Answer;

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Nginx,
    Caddy,
    Haproxy,
    Traefik,
    Envoy,
}

/// What the recipes have where their reader puts addresses and directories of his own.
const JETON: &str = "127.0.0.1:8080";
const SERVICE: &str = "127.0.0.1:3000";
const CLIENTS: &str = "127.0.0.1:8000";
/// A gateway that starts on a busy machine.
const START: Duration = Duration::from_secs(60);

pub struct Gateway {
    pub address: SocketAddr,
    http: reqwest::Client,
    process: Child,
    directory: TempDir,
}

impl Gateway {
    pub async fn start(kind: Kind, jeton: SocketAddr, service: SocketAddr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for file in kind.recipe() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/gateways").join(file);
            let recipe = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let recipe = placed(&recipe, [(JETON, jeton), (SERVICE, service), (CLIENTS, address)], directory.path());
            std::fs::write(directory.path().join(path.file_name().unwrap()), recipe).unwrap();
        }
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let mut command = kind.command(directory.path());
        // Caddy keeps its state there.
        command.env("XDG_DATA_HOME", directory.path()).env("XDG_CONFIG_HOME", directory.path());
        command.current_dir(directory.path()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let gateway = Self { address, http, process, directory };
        let listens = async {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            while TcpStream::connect(address).await.is_err() {
                tick.tick().await;
            }
        };
        tokio::time::timeout(START, listens).await.unwrap_or_else(|_| panic!("{kind:?}: {}", gateway.log()));
        gateway
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn get(&self, token: &str) -> Answer {
        self.send(self.request(Method::GET, "/orders/1").bearer_auth(token)).await
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            let request = request.try_clone().expect("a body in memory");
            let answer = request.send().await.unwrap_or_else(|error| panic!("{error:?}: {}", self.log()));
            // Traefik listens before it has read its routes.
            if answer.status() != 404 {
                return Answer::of(answer).await;
            }
            tick.tick().await;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // SIGTERM: nginx would leave its workers behind.
        let _gone_already = Command::new("kill").arg(self.process.id().to_string()).status();
        let _reaped = self.process.wait();
    }
}

impl Kind {
    const fn recipe(self) -> &'static [&'static str] {
        match self {
            Self::Nginx => &["nginx.conf"],
            Self::Caddy => &["Caddyfile"],
            Self::Haproxy => &["haproxy/haproxy.cfg", "haproxy/jeton.lua"],
            Self::Traefik => &["traefik/traefik.yml", "traefik/jeton.yml"],
            Self::Envoy => &["envoy.yaml"],
        }
    }

    fn command(self, directory: &Path) -> Command {
        let file = |name: &str| directory.join(name).display().to_string();
        match self {
            Self::Nginx => {
                std::fs::write(directory.join("main.conf"), around_nginx(directory)).unwrap();
                program("NGINX", &["-p", &file(""), "-c", &file("main.conf")])
            }
            Self::Caddy => program("CADDY", &["run", "--adapter", "caddyfile", "--config", &file("Caddyfile")]),
            Self::Haproxy => program("HAPROXY", &["-db", "-f", &file("haproxy.cfg")]),
            Self::Traefik => program("TRAEFIK", &[&format!("--configFile={}", file("traefik.yml"))]),
            Self::Envoy => {
                program("ENVOY", &["-c", &file("envoy.yaml"), "--use-dynamic-base-id", "--concurrency", "2"])
            }
        }
    }
}

/// What Debian's `/etc/nginx/nginx.conf` is to the recipe, with nothing outside of the directory.
fn around_nginx(directory: &Path) -> String {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|what| format!("{what}_temp_path {}/{what}; ", directory.display())).concat();
    format!(
        "daemon off; pid {0}/pid; error_log stderr; events {{}} http {{ access_log off; {temporary} include {0}/nginx.conf; }}",
        directory.display()
    )
}

fn program(name: &str, arguments: &[&str]) -> Command {
    let variable = format!("JETON_TEST_{name}");
    let program =
        std::env::var(&variable).unwrap_or_else(|_| panic!("{variable} is not set; cargo xtask test sets it"));
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// The recipe with other addresses, in either of the ways in which they are written.
fn placed(recipe: &str, addresses: [(&str, SocketAddr); 3], directory: &Path) -> String {
    let mut placed = recipe.to_owned();
    for (written, address) in addresses {
        let apart = |address: &str| address.replace(':', ", port_value: ");
        placed = placed.replace(written, &address.to_string());
        placed = placed.replace(&apart(written), &apart(&address.to_string()));
    }
    for installed in ["/etc/haproxy", "/etc/traefik"] {
        placed = placed.replace(installed, &directory.display().to_string());
    }
    placed
}

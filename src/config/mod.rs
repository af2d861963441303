//! The configuration: one type whose doc comments, defaults and schema make the sample file.

mod live;
mod load;
mod sample;
mod shipped;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use live::LIVE_KEYS;
pub use load::{ConfigError, Loaded, Origin, Sources, load};
pub use sample::{sample, schema};

use crate::domain::lifetime::Lifetime;
use crate::domain::policy::PolicyRules;
use crate::service::oidc::MatchBy;

/// Everything an operator can set. Precedence: command line, environment, file, default.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the SQLite file, the generated master key, the first administrator's key and the newest revision that was seen
    /// are kept (mode 0700). Each node has its own, and keeps it over restarts.
    pub data_dir: PathBuf,
    /// The URL that clients reach this service under; the issuer of its tokens. Empty: http:// (with http.tls https://)
    /// and http.listen, which is accepted on the loopback interface only.
    pub public_url: String,
    /// The public listener.
    pub http: Http,
    /// The listener for operations: /metrics, /health/live, /health/ready, /version. Keep it off the internet.
    pub management: Management,
    /// The database.
    pub database: Database,
    /// The master key: all other keys are derived from it. Nodes of one service share it.
    pub keys: MasterKeys,
    /// How tokens are validated.
    pub validation: Validation,
    /// Token strings and the OAuth endpoints.
    pub tokens: Tokens,
    /// How long things are kept after their end.
    pub retention: RetentionConfig,
    /// Webhooks: events that are sent to receivers which administrators register.
    pub webhooks: Webhooks,
    /// The web console.
    pub console: Console,
    /// Logging.
    pub log: Log,
    /// The rules that grants are issued under, by name. A file changes single keys of these or adds policies.
    pub policies: BTreeMap<String, PolicyRules>,
}

/// The public listener.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port. Anything but the loopback interface needs public_url. PORT in the environment changes the port.
    pub listen: SocketAddr,
    /// Connections at the same time; further ones wait in the kernel's queue.
    pub max_connections: u32,
    /// How long a client may take to send the head of a request; also how long a connection may be idle.
    pub header_timeout: Lifetime,
    /// How long a request may take in all; then 503.
    pub request_timeout: Lifetime,
    /// Largest request body in bytes; then 413.
    pub max_body_bytes: u32,
    /// How long requests in flight may take to finish after SIGTERM.
    pub drain_timeout: Lifetime,
    /// Addresses of reverse proxies whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// TLS of the public listener. Without it, a gateway before this service has to speak TLS.
    pub tls: Tls,
}

/// TLS of a listener: versions 1.2 and 1.3, HTTP/2 and HTTP/1.1.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificate, followed by those that lead to a root. Empty: no TLS. SIGHUP reads it again.
    pub certificate: PathBuf,
    /// PEM file with the private key of the certificate, not encrypted.
    pub key: PathBuf,
    /// How long a client may take for the handshake.
    pub handshake_timeout: Lifetime,
    /// Handshakes at the same time; for a further one the oldest is given up.
    pub max_handshakes: u32,
}

impl Tls {
    /// Whether the listener speaks TLS.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.certificate.as_os_str().is_empty()
    }
}

/// The listener for operations.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Management {
    /// Address and port.
    pub listen: SocketAddr,
    /// TLS of the management listener.
    pub tls: Tls,
}

/// The database.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// sqlite:PATH or postgres://user:password@host/name. Empty: sqlite:DATA_DIR/jeton.db. DATABASE_URL in the
    /// environment sets it too.
    pub url: String,
    /// Connections to PostgreSQL, or readers of SQLite.
    pub connections: u32,
    /// How long a request may wait for a connection before it is answered with 503.
    pub acquire_timeout: Lifetime,
    /// Whether serve brings the schema up to date. If not, run jeton migrate before.
    pub migrate: bool,
    /// Whether PostgreSQL fails over to a standby. Then it must replicate synchronously (synchronous_standby_names), and
    /// a node that has not reached the primary for validation.lease answers with 503: what it can still read may be
    /// from a server that was replaced.
    pub ha: bool,
}

/// The master key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MasterKeys {
    /// 32 bytes as hexadecimal or base64. Better JETON__KEYS__MASTER_FILE than here. Empty: generated into
    /// DATA_DIR/master.key on the first start.
    pub master: String,
    /// The key before this one: what was made under it is still accepted.
    pub previous: String,
}

/// How tokens are validated.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// Whether this process is the only one on its PostgreSQL database. Then it needs no lease. Always so on SQLite, which
    /// takes one process. Wrong, it makes revocations of other nodes invisible.
    pub single_node: bool,
    /// "leased": validate from memory while a lease is running that is renewed by reading the revocations of all nodes.
    /// "strict": confirm each validation by a read of the log's head, which many share; needs no clocks.
    pub mode: ValidationMode,
    /// How long a node that is cut off from the database goes on to answer from memory, and so how long a revocation
    /// waits for a node that is dead. The same on all nodes; 1 to 10 seconds.
    pub lease: Lifetime,
    /// Whether revocations ring the other nodes (LISTEN and NOTIFY). Without it, for instance behind a pooler that has no
    /// sessions, each node reads the log twenty times a second. The same on all nodes.
    pub doorbell: bool,
    /// What this node is called where a revocation waits for it. Empty: the host's name.
    pub node_name: String,
    /// Memory for validated tokens, in bytes.
    pub cache_bytes: u64,
    /// Seconds for which others may keep an answer about a token (cache_max_age in introspection). Each second is one in
    /// which a revoked token may live on there.
    pub cache_max_age: u32,
    /// How many may follow GET /oauth20/revocations at the same time; further ones get 503. One workspace gets at most
    /// half of the places.
    pub max_streams: u32,
}

/// What an answer from memory rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValidationMode {
    Leased,
    Strict,
}

/// Token strings and the OAuth endpoints.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// What token strings start with, so that secret scanners know whose they are.
    pub brand: String,
    /// How long a refresh may be repeated and still get the same answer. The first use of the new pair ends it.
    pub rotation_window: Lifetime,
    /// The policy of grants that the token endpoint opens.
    pub session_policy: String,
    /// The policy of the first administrator's key.
    pub bootstrap_policy: String,
}

/// How long things are kept after their end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionConfig {
    /// Expired tokens. On PostgreSQL they leave by whole months.
    pub tokens: Lifetime,
    /// Ended grants: how long they stay in lists.
    pub grants: Lifetime,
    /// The audit: who did what.
    pub audit: Lifetime,
    /// Why requests were refused: how long GET /admin/v1/explain can tell.
    pub refusals: Lifetime,
}

/// Webhooks: events that are sent to receivers which administrators register.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Networks that receivers may be in besides the internet, for instance "10.20.0.0/16"; also without TLS. Whoever
    /// administers a workspace can have requests sent there.
    #[schemars(with = "Vec<String>")]
    pub allowed_networks: Vec<IpNet>,
    /// Whether receivers on the internet may be without TLS.
    pub allow_http: bool,
    /// A webhook that has failed for so long without a break is switched off.
    pub give_up_after: Lifetime,
}

/// The web console.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// How long people stay signed in without doing anything.
    pub session_idle: Lifetime,
    /// How long people stay signed in at most.
    pub session_end: Lifetime,
    /// Whether people sign in with passwords. It may be switched off where there is single sign-on.
    pub password_sign_in: bool,
    /// Single sign-on by an OpenID Connect provider.
    pub oidc: Oidc,
}

/// Single sign-on by an OpenID Connect provider.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The issuer, exactly as the provider writes it: its configuration is read from .well-known/openid-configuration below
    /// it. https, but for the loopback interface. Empty: no single sign-on.
    pub issuer: String,
    /// What the provider calls this service. Register PUBLIC_URL/console/sign-in/oidc/callback there as its redirect URI.
    pub client_id: String,
    /// Better JETON__CONSOLE__OIDC__CLIENT_SECRET_FILE than here. Empty: a public client, which has only PKCE.
    pub client_secret: String,
    /// What is asked for; openid must be among them.
    pub scopes: Vec<String>,
    /// What people call the provider: "Sign in with" stands before it.
    pub label: String,
    /// The workspace whose users sign in by it.
    pub workspace: String,
    /// How somebody is recognized who signs in for the first time; afterwards the issuer and their subject decide.
    /// "subject": by nothing else, an administrator has noted it. "email": by an address that the provider has verified.
    /// "username": by preferred_username, which must be nobody's to choose.
    pub match_by: MatchBy,
    /// Whether who is not recognized gets an account, with the role member.
    pub create_users: bool,
    /// The claim that tells the groups of a person.
    pub groups_claim: String,
    /// Who is in this group is an administrator, and who is not is none, from each sign-in on; operators stay. Empty: roles
    /// are given in the console.
    pub admin_group: String,
}

/// Logging.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// "auto" (pretty on a terminal, else json), "pretty" or "json".
    pub format: LogFormat,
    /// Level or filter directives. RUST_LOG in the environment sets it too.
    pub level: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Auto,
    Pretty,
    Json,
}

impl Config {
    /// The database URL with its default filled in.
    #[must_use]
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            format!("sqlite:{}", self.data_dir.join("jeton.db").display())
        } else {
            self.database.url.clone()
        }
    }

    /// The issuer, without a slash at its end.
    #[must_use]
    pub fn issuer(&self) -> String {
        if self.public_url.is_empty() {
            format!("{}://{}", if self.http.tls.is_on() { "https" } else { "http" }, self.http.listen)
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }
}

//! The defaults.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::{
    Config, Console, Database, Http, Log, LogFormat, Management, MasterKeys, Oidc, RetentionConfig, Tls, Tokens,
    Validation, ValidationMode, Webhooks,
};
use crate::domain::lifetime::Lifetime;
use crate::domain::policy::{
    AccessLifetime, Creator, Credential, End, Never, OnDisable, PolicyRules, RevokeReach, WholeGrant,
};
use crate::service::oidc::MatchBy;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

impl Default for Config {
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            data_dir: "./data".into(),
            public_url: String::new(),
            http: Http {
                listen: SocketAddr::new(loopback, 8080),
                max_connections: 25_000,
                header_timeout: Lifetime::from_secs(10),
                request_timeout: Lifetime::from_secs(30),
                max_body_bytes: 65_536,
                drain_timeout: Lifetime::from_secs(20),
                trusted_proxies: Vec::new(),
                tls: tls(1024),
            },
            management: Management { listen: SocketAddr::new(loopback, 9090), tls: tls(64) },
            database: Database {
                url: String::new(),
                connections: 16,
                acquire_timeout: Lifetime::from_secs(2),
                migrate: true,
                ha: false,
            },
            keys: MasterKeys { master: String::new(), previous: String::new() },
            validation: Validation {
                single_node: false,
                mode: ValidationMode::Leased,
                lease: Lifetime::from_secs(3),
                doorbell: true,
                node_name: String::new(),
                cache_bytes: 64 << 20,
                cache_max_age: 0,
                max_streams: 2000,
            },
            tokens: Tokens {
                brand: "jtn".to_owned(),
                rotation_window: Lifetime::from_secs(30),
                session_policy: "session".to_owned(),
                bootstrap_policy: "key".to_owned(),
            },
            retention: RetentionConfig {
                tokens: Lifetime::from_secs(7 * DAY),
                grants: Lifetime::from_secs(30 * DAY),
                audit: Lifetime::from_secs(400 * DAY),
                refusals: Lifetime::from_secs(7 * DAY),
            },
            webhooks: Webhooks {
                allowed_networks: Vec::new(),
                allow_http: false,
                give_up_after: Lifetime::from_secs(5 * DAY),
            },
            console: Console {
                session_idle: Lifetime::from_secs(HOUR),
                session_end: Lifetime::from_secs(12 * HOUR),
                password_sign_in: true,
                oidc: oidc(),
            },
            log: Log { format: LogFormat::Auto, level: "info".to_owned() },
            policies: policies(),
        }
    }
}

/// Off.
fn oidc() -> Oidc {
    Oidc {
        issuer: String::new(),
        client_id: String::new(),
        client_secret: String::new(),
        scopes: ["openid", "profile", "email"].map(ToOwned::to_owned).into(),
        label: "single sign-on".to_owned(),
        workspace: "default".to_owned(),
        match_by: MatchBy::Subject,
        create_users: false,
        groups_claim: "groups".to_owned(),
        admin_group: String::new(),
    }
}

fn tls(max_handshakes: u32) -> Tls {
    Tls { certificate: PathBuf::new(), key: PathBuf::new(), handshake_timeout: Lifetime::from_secs(10), max_handshakes }
}

/// Short-lived access tokens, managed tokens, API tokens with refresh, sessions, keys, and tokens of an older system.
fn policies() -> BTreeMap<String, PolicyRules> {
    let after = |seconds| End::After(Lifetime::from_secs(seconds));
    let access = PolicyRules {
        credential: Credential::Access,
        min_lifetime: Lifetime::from_secs(30 * MINUTE),
        max_lifetime: after(6 * HOUR),
        default_lifetime: after(HOUR),
        access_lifetime: AccessLifetime::Grant(WholeGrant::Grant),
        revoke: RevokeReach::Owner,
        creation: vec![Creator::Owner, Creator::Admin],
        mints: String::new(),
        on_disable: OnDisable::All,
        rest_revoke: true,
        refresh_on_any_endpoint: false,
    };
    let managed = PolicyRules {
        min_lifetime: Lifetime::from_secs(HOUR),
        max_lifetime: after(365 * DAY),
        default_lifetime: after(90 * DAY),
        revoke: RevokeReach::Grant,
        creation: vec![Creator::Admin],
        ..access.clone()
    };
    let legacy =
        PolicyRules { min_lifetime: Lifetime::from_secs(0), creation: vec![Creator::Import], ..managed.clone() };
    let api = PolicyRules {
        credential: Credential::Pair,
        min_lifetime: Lifetime::from_secs(DAY),
        max_lifetime: after(365 * DAY),
        default_lifetime: after(90 * DAY),
        access_lifetime: AccessLifetime::At(Lifetime::from_secs(HOUR)),
        revoke: RevokeReach::Grant,
        ..access.clone()
    };
    let session = PolicyRules {
        credential: Credential::Access,
        min_lifetime: Lifetime::from_secs(5 * MINUTE),
        max_lifetime: after(24 * HOUR),
        default_lifetime: after(24 * HOUR),
        creation: vec![Creator::Oauth],
        rest_revoke: false,
        ..api.clone()
    };
    let key = PolicyRules {
        credential: Credential::Key,
        min_lifetime: Lifetime::from_secs(0),
        max_lifetime: End::Never(Never::Never),
        default_lifetime: End::Never(Never::Never),
        access_lifetime: AccessLifetime::Grant(WholeGrant::Grant),
        revoke: RevokeReach::Grant,
        mints: "session".to_owned(),
        ..access.clone()
    };
    let all = [
        ("access", access),
        ("managed", managed),
        ("api", api),
        ("session", session),
        ("key", key),
        ("legacy", legacy),
    ];
    all.into_iter().map(|(name, rules)| (name.to_owned(), rules)).collect()
}

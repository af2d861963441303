//! Gathers the configuration from its sources and says where each value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::{Config, Console, Tls};
use crate::domain::policy::{Credential, Policies};

/// Where to look. Made by the command line; tests make their own.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config` or `JETON_CONFIG`.
    pub file: Option<PathBuf>,
    pub environment: Vec<(String, String)>,
    /// `key.path=value` from the command line.
    pub overrides: Vec<(String, String)>,
}

/// A configuration and the source of each of its keys.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    pub file: Option<PathBuf>,
    values: Table,
    origins: BTreeMap<String, Origin>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Environment(String),
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// A configuration that can't be used. The message says where and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// Values that are never shown.
const SECRETS: [&str; 3] = ["keys.master", "keys.previous", "console.oidc.client_secret"];
const DEFAULT_FILES: [&str; 2] = ["./config/jeton.toml", "/etc/jeton/jeton.toml"];

/// # Errors
/// [`ConfigError`] for the first thing that can't be used, with file and line or the name of the variable.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut values = Table::try_from(Config::default()).expect("the defaults are plain data");
    let shape = values.clone();
    let mut origins = BTreeMap::new();
    let file = find_file(sources)?;
    if let Some(path) = &file {
        let text =
            std::fs::read_to_string(path).map_err(|error| ConfigError(format!("{}: {error}", path.display())))?;
        let table = read_file(path, &text, &shape)?;
        merge(&mut values, table, "", &Origin::File(path.clone()), &mut origins);
    }
    for (name, value) in &sources.environment {
        if let Some((key, value)) = environment_key(name, value, &values)? {
            set(&mut values, &key, &value, Origin::Environment(name.clone()), &mut origins)?;
        }
    }
    for (key, value) in &sources.overrides {
        set(&mut values, key, value, Origin::CommandLine, &mut origins)?;
    }
    let config: Config = values.clone().try_into().map_err(|error: toml::de::Error| {
        ConfigError(format!("{}{}", error.message(), where_from(&error, &origins)))
    })?;
    check(&config)?;
    Ok(Loaded { config, file, values, origins })
}

impl Loaded {
    /// Every key with its value and source; secrets are left out.
    #[must_use]
    pub fn lines(&self) -> Vec<(String, String, Origin)> {
        let mut lines = Vec::new();
        flatten("", &self.values, &mut lines);
        lines
            .into_iter()
            .map(|(key, value)| {
                let origin = self.origins.get(&key).cloned().unwrap_or(Origin::Default);
                let shown = shown(&key, &value);
                (key, shown, origin)
            })
            .collect()
    }
}

fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) if SECRETS.contains(&key) && !text.is_empty() => "\"<hidden>\"".to_owned(),
        Value::String(text) if key == "database.url" => without_password(text).unwrap_or_else(|| value.to_string()),
        other => other.to_string(),
    }
}

fn without_password(text: &str) -> Option<String> {
    let mut url = url::Url::parse(text).ok().filter(|url| url.password().is_some())?;
    url.set_password(Some("hidden")).ok()?;
    Some(format!("\"{url}\""))
}

pub(super) fn flatten(path: &str, table: &Table, lines: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Table(table) => flatten(&path, table, lines),
            other => lines.push((path, other.clone())),
        }
    }
}

fn find_file(sources: &Sources) -> Result<Option<PathBuf>, ConfigError> {
    let variable = sources.environment.iter().find(|(name, _)| name == "JETON_CONFIG");
    if let Some(path) = sources.file.clone().or_else(|| variable.map(|(_, value)| PathBuf::from(value))) {
        return if path.is_file() {
            Ok(Some(path))
        } else {
            Err(ConfigError(format!("{}: there is no such file", path.display())))
        };
    }
    Ok(DEFAULT_FILES.iter().map(PathBuf::from).find(|path| path.is_file()))
}

fn read_file(path: &Path, text: &str, shape: &Table) -> Result<Table, ConfigError> {
    // Without the line itself, which may hold a secret.
    let at = |error: &toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        ConfigError(format!("{}:{line}: {}", path.display(), error.message()))
    };
    let parsed = DeTable::parse(text).map_err(|error| at(&error))?;
    unknown_key(parsed.get_ref(), shape, "").map_or(Ok(()), |(offset, key, suggestion)| {
        let line = text[..offset].lines().count().max(1) + usize::from(text[..offset].ends_with('\n'));
        Err(ConfigError(format!("{}:{line}: unknown key {key}{suggestion}", path.display())))
    })?;
    toml::from_str(text).map_err(|error| at(&error))
}

/// The first key that the configuration does not have: its place in the text, its path, and the nearest that it has.
fn unknown_key(table: &DeTable<'_>, shape: &Table, path: &str) -> Option<(usize, String, String)> {
    for (key, value) in table {
        let name: &str = key.get_ref();
        let own = format!("{path}{name}");
        let Some(known) = shape.get(name).or_else(|| free_key(shape, path)) else {
            return Some((key.span().start, own, suggestion(name, shape)));
        };
        if let (DeValue::Table(table), Value::Table(shape)) = (Spanned::get_ref(value), known) {
            let found = unknown_key(table, shape, &format!("{own}."));
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// Under `policies.` any name may stand; each has the keys that the shipped ones have.
fn free_key<'a>(shape: &'a Table, path: &str) -> Option<&'a Value> {
    (path == "policies.").then(|| shape.iter().next()).flatten().map(|(_, value)| value)
}

fn suggestion(name: &str, shape: &Table) -> String {
    let near = shape.keys().map(|key| (strsim::jaro_winkler(name, key), key));
    let best = near.filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, key)| format!("; did you mean {key}?"))
}

fn merge(into: &mut Table, from: Table, path: &str, origin: &Origin, origins: &mut BTreeMap<String, Origin>) {
    for (key, value) in from {
        let own = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (into.get_mut(&key), value) {
            (Some(Value::Table(into)), Value::Table(from)) => merge(into, from, &own, origin, origins),
            (_, Value::Table(from)) => {
                let mut table = Table::new();
                merge(&mut table, from, &own, origin, origins);
                into.insert(key, Value::Table(table));
            }
            (_, value) => {
                origins.insert(own, origin.clone());
                into.insert(key, value);
            }
        }
    }
}

/// What an environment variable sets: a key path and a text.
fn environment_key(name: &str, value: &str, values: &Table) -> Result<Option<(String, String)>, ConfigError> {
    match name {
        "DATABASE_URL" => return Ok(Some(("database.url".to_owned(), value.to_owned()))),
        "RUST_LOG" => return Ok(Some(("log.level".to_owned(), value.to_owned()))),
        "PORT" => {
            let listen = values.get("http").and_then(|http| http.get("listen")).and_then(Value::as_str);
            let host = listen.and_then(|listen| listen.rsplit_once(':')).map_or("127.0.0.1", |(host, _)| host);
            return Ok(Some(("http.listen".to_owned(), format!("{host}:{value}"))));
        }
        _ => {}
    }
    let Some(path) = name.strip_prefix("JETON__") else {
        return Ok(None);
    };
    let path = path.to_lowercase().replace("__", ".");
    match path.strip_suffix("_file") {
        Some(key) => {
            let text = std::fs::read_to_string(value)
                .map_err(|error| ConfigError(format!("{name}: {value} can't be read: {error}")))?;
            Ok(Some((key.to_owned(), text.trim().to_owned())))
        }
        None => Ok(Some((path, value.to_owned()))),
    }
}

/// Sets one key from a text, read as the type that the key has.
fn set(
    values: &mut Table,
    key: &str,
    text: &str,
    origin: Origin,
    origins: &mut BTreeMap<String, Origin>,
) -> Result<(), ConfigError> {
    let mut table = values;
    let mut path = key.split('.').peekable();
    while let Some(part) = path.next() {
        let suggestion = suggestion(part, table);
        let unknown = || ConfigError(format!("{origin}: unknown key {key}{suggestion}"));
        let slot = table.get_mut(part).ok_or_else(unknown)?;
        match (path.peek(), slot) {
            (Some(_), Value::Table(next)) => table = next,
            (None, slot) if !slot.is_table() => {
                *slot = read_as(slot, text)
                    .ok_or_else(|| ConfigError(format!("{origin}: {key}: {text:?} is not {}", kind(slot))))?;
                origins.insert(key.to_owned(), origin);
                return Ok(());
            }
            _ => return Err(ConfigError(format!("{origin}: {key} is not a single value"))),
        }
    }
    Ok(())
}

fn read_as(like: &Value, text: &str) -> Option<Value> {
    match like {
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        _ => Some(Value::String(text.to_owned())),
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        _ => "a text",
    }
}

/// Values that fit no type came from outside the file too: name the variable where that is known.
fn where_from(error: &toml::de::Error, origins: &BTreeMap<String, Origin>) -> String {
    let message = error.to_string();
    let key = message.lines().find_map(|line| line.strip_prefix("in `")).and_then(|rest| rest.split('`').next());
    match key.and_then(|key| origins.get(key).map(|origin| (key, origin))) {
        Some((key, origin)) => format!(" (in {key}, from {origin})"),
        None => key.map_or_else(String::new, |key| format!(" (in {key})")),
    }
}

/// What the types can't say.
fn check(config: &Config) -> Result<(), ConfigError> {
    let bad = |message: String| Err(ConfigError(message));
    let policies = Policies::new(&config.policies).map_err(|error| ConfigError(error.to_string()))?;
    for (key, name) in
        [("session_policy", &config.tokens.session_policy), ("bootstrap_policy", &config.tokens.bootstrap_policy)]
    {
        if policies.find(name).is_none() {
            return bad(format!("tokens.{key}: there is no policy {name:?}"));
        }
    }
    let credential = |name| policies.find(name).map(|policy| policy.rules.credential);
    if credential(&config.tokens.session_policy) != Some(Credential::Access) {
        return bad("tokens.session_policy: sessions need a policy with credential \"access\"".to_owned());
    }
    if credential(&config.tokens.bootstrap_policy) != Some(Credential::Key) {
        return bad("tokens.bootstrap_policy: needs a policy with credential \"key\"".to_owned());
    }
    if config.public_url.is_empty() {
        if !config.http.listen.ip().is_loopback() {
            return bad(format!(
                "http.listen is {}, which others can reach, but public_url is not set. Set public_url \
                 (JETON__PUBLIC_URL=https://auth.example.com) to the URL that clients use, or listen on 127.0.0.1.",
                config.http.listen
            ));
        }
    } else {
        let root = |url: &url::Url| {
            let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
            matches!(url.scheme(), "http" | "https") && url.path() == "/" && bare
        };
        if !url::Url::parse(&config.public_url).is_ok_and(|url| root(&url)) {
            return bad(format!(
                "public_url: {:?} is not of the form https://host or https://host:port. The metadata of RFC 8414 is \
                 served at the root of a host, so that a path is not supported.",
                config.public_url
            ));
        }
    }
    if !(1..=10).contains(&config.validation.lease.as_secs()) {
        return bad("validation.lease: 1s to 10s; a revocation waits as long for a node that is dead".to_owned());
    }
    if config.http.request_timeout.as_secs() <= config.validation.lease.as_secs() + 1 {
        return bad("http.request_timeout: must be longer than validation.lease and a second".to_owned());
    }
    if config.validation.single_node && config.database.ha {
        return bad(
            "validation.single_node: with database.ha a node needs its lease, also where it is alone".to_owned()
        );
    }
    check_sign_in(&config.console)?;
    for (section, tls) in [("http.tls", &config.http.tls), ("management.tls", &config.management.tls)] {
        check_tls(section, tls)?;
    }
    if config.webhooks.give_up_after.as_secs() < 3600 {
        return bad("webhooks.give_up_after: at least 1h; receivers are restarted, too".to_owned());
    }
    let http = &config.http;
    for (key, value) in [
        ("max_connections", http.max_connections),
        ("header_timeout", http.header_timeout.as_secs()),
        ("max_body_bytes", http.max_body_bytes),
    ] {
        if value == 0 {
            return bad(format!("http.{key}: must be at least 1"));
        }
    }
    if config.tokens.rotation_window.as_secs() > 3600 {
        return bad(
            "tokens.rotation_window: at most 1h; it is the time in which a stolen token goes unnoticed".to_owned()
        );
    }
    Ok(())
}

/// Somebody must be able to sign in, and what they sign in by must not be in the hands of the network.
fn check_sign_in(console: &Console) -> Result<(), ConfigError> {
    let bad = |message: &str| Err(ConfigError(message.to_owned()));
    let oidc = &console.oidc;
    if oidc.issuer.is_empty() {
        return if console.password_sign_in {
            Ok(())
        } else {
            bad("console.password_sign_in: without passwords, console.oidc.issuer must be set; else nobody can sign in")
        };
    }
    let issuer = url::Url::parse(&oidc.issuer).ok().filter(|url| url.query().is_none() && url.fragment().is_none());
    let is_safe = |url: &url::Url| match (url.scheme(), url.host()) {
        ("https", _) => true,
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        _ => false,
    };
    if !issuer.is_some_and(|url| is_safe(&url)) {
        return bad(
            "console.oidc.issuer: is an https URL without a query; http is accepted on the loopback interface only",
        );
    }
    if oidc.client_id.is_empty() {
        return bad("console.oidc.client_id: is what the provider calls this service, and can't be empty");
    }
    if !oidc.scopes.iter().any(|scope| scope == "openid") {
        return bad("console.oidc.scopes: openid must be among them");
    }
    if oidc.label.trim().is_empty() || oidc.workspace.is_empty() || oidc.groups_claim.is_empty() {
        return bad("console.oidc: label, workspace and groups_claim can't be empty");
    }
    Ok(())
}

fn check_tls(section: &str, tls: &Tls) -> Result<(), ConfigError> {
    let bad = |message: String| Err(ConfigError(message));
    for (key, path) in [("certificate", &tls.certificate), ("key", &tls.key)] {
        // What JETON__HTTP__TLS__KEY_FILE would give; the text itself is a secret.
        if path.as_os_str().as_encoded_bytes().starts_with(b"-----BEGIN") {
            return bad(format!("{section}.{key}: is the path of a PEM file, and not what stands in it"));
        }
    }
    if tls.certificate.as_os_str().is_empty() != tls.key.as_os_str().is_empty() {
        return bad(format!("{section}: needs both certificate and key, or neither"));
    }
    if tls.handshake_timeout.as_secs() == 0 || tls.max_handshakes == 0 {
        return bad(format!("{section}: handshake_timeout and max_handshakes must be at least 1"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Sources {
        let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Sources { environment: environment.collect(), ..Sources::default() }
    }

    fn in_file(text: &str) -> Result<Loaded, ConfigError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jeton.toml");
        std::fs::write(&path, text).unwrap();
        load(&Sources { file: Some(path), ..Sources::default() })
    }

    #[test]
    fn the_environment_outranks_the_file_and_the_command_line_both() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jeton.toml");
        std::fs::write(&path, "[database]\nconnections = 5\nmigrate = false\n[http]\nmax_body_bytes = 7").unwrap();
        let mut sources = environment(&[("JETON__DATABASE__CONNECTIONS", "6"), ("JETON__HTTP__MAX_BODY_BYTES", "8")]);
        sources.file = Some(path.clone());
        sources.overrides.push(("http.max_body_bytes".to_owned(), "9".to_owned()));
        let loaded = load(&sources).unwrap();
        assert_eq!(loaded.config.database.connections, 6);
        assert!(!loaded.config.database.migrate);
        assert_eq!(loaded.config.http.max_body_bytes, 9);
        let origin = |key: &str| loaded.lines().into_iter().find(|line| line.0 == key).unwrap().2;
        assert_eq!(origin("database.connections"), Origin::Environment("JETON__DATABASE__CONNECTIONS".to_owned()));
        assert_eq!(origin("database.migrate"), Origin::File(path));
        assert_eq!(origin("http.max_body_bytes"), Origin::CommandLine);
        assert_eq!(origin("data_dir"), Origin::Default);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_one() {
        let error = in_file("data_dir = \"x\"\n\n[http]\nlisten = \"127.0.0.1:1\"\nmax_conections = 3\n").unwrap_err();
        assert!(
            error.to_string().contains(":5: unknown key http.max_conections; did you mean max_connections?"),
            "{error}"
        );
        let error = in_file("[policies.access]\nmax_livetime = \"3h\"").unwrap_err();
        assert!(error.to_string().contains(":2: unknown key policies.access.max_livetime"), "{error}");
        let error = load(&environment(&[("JETON__DATABASE__CONECTIONS", "1")])).unwrap_err();
        assert!(error.to_string().contains("did you mean connections?"), "{error}");
    }

    #[test]
    fn a_syntax_error_names_its_line_and_shows_nothing_of_it() {
        let error = in_file("[keys]\nmaster = \"c0ffee\n").unwrap_err().to_string();
        assert!(error.contains(":2: ") && !error.contains("c0ffee"), "{error}");
    }

    #[test]
    fn the_policies_of_sessions_and_of_the_first_key_must_fit() {
        for (name, value) in [("JETON__TOKENS__SESSION_POLICY", "key"), ("JETON__TOKENS__BOOTSTRAP_POLICY", "access")] {
            assert!(load(&environment(&[(name, value)])).is_err(), "{name}");
        }
    }

    #[test]
    fn a_file_changes_one_key_of_a_policy_and_keeps_the_rest() {
        let loaded = in_file("[policies.access]\nmax_lifetime = \"3h\"").unwrap();
        let policy = &loaded.config.policies["access"];
        assert_eq!(policy.max_lifetime.lifetime().unwrap().as_secs(), 10_800);
        assert_eq!(policy.min_lifetime.as_secs(), 1800);
    }

    #[test]
    fn secrets_are_read_from_files_and_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        std::fs::write(&path, "c0ffee\n").unwrap();
        let sources = environment(&[
            ("JETON__KEYS__MASTER_FILE", path.to_str().unwrap()),
            ("DATABASE_URL", "postgres://me:secret@db/x"),
        ]);
        let loaded = load(&sources).unwrap();
        assert_eq!(loaded.config.keys.master, "c0ffee");
        let shown = format!("{:?}", loaded.lines());
        assert!(!shown.contains("c0ffee") && !shown.contains("secret@"), "{shown}");
    }

    #[test]
    fn a_listener_that_others_reach_needs_a_public_url() {
        let error = load(&environment(&[("JETON__HTTP__LISTEN", "0.0.0.0:8080")])).unwrap_err();
        assert!(error.to_string().contains("JETON__PUBLIC_URL"), "{error}");
        let listen = ("JETON__HTTP__LISTEN", "0.0.0.0:8080");
        assert!(load(&environment(&[listen, ("JETON__PUBLIC_URL", "https://auth.example.com/")])).is_ok());
    }

    #[test]
    fn tls_needs_the_paths_of_both_files_and_never_shows_a_key() {
        let certificate = ("JETON__HTTP__TLS__CERTIFICATE", "/tls/cert.pem");
        let error = load(&environment(&[certificate])).unwrap_err().to_string();
        assert!(error.contains("http.tls: needs both"), "{error}");
        let loaded = load(&environment(&[certificate, ("JETON__HTTP__TLS__KEY", "/tls/key.pem")])).unwrap();
        assert_eq!(loaded.config.issuer(), "https://127.0.0.1:8080");
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("key.pem");
        std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\nc0ffee\n").unwrap();
        let read_from = ("JETON__MANAGEMENT__TLS__KEY_FILE", key.to_str().unwrap());
        let error = load(&environment(&[read_from])).unwrap_err().to_string();
        assert!(error.contains("management.tls.key: is the path") && !error.contains("c0ffee"), "{error}");
    }

    #[test]
    fn values_of_the_wrong_type_name_the_key() {
        for (name, value) in [
            ("JETON__DATABASE__CONNECTIONS", "many"),
            ("JETON__DATABASE__MIGRATE", "perhaps"),
            ("JETON__HTTP__LISTEN", "here"),
            ("JETON__LOG__FORMAT", "xml"),
            ("JETON__TOKENS__ROTATION_WINDOW", "soon"),
        ] {
            let error = load(&environment(&[(name, value)])).unwrap_err().to_string();
            assert!(error.contains(name), "{name}: {error}");
        }
    }

    #[test]
    fn single_sign_on_needs_a_safe_issuer_and_nobody_is_locked_out() {
        let set = |pairs: &[(&str, &str)]| load(&environment(pairs));
        let (issuer, id) = ("JETON__CONSOLE__OIDC__ISSUER", ("JETON__CONSOLE__OIDC__CLIENT_ID", "jeton"));
        for good in
            ["https://id.test", "https://id.test/realms/a", "http://127.0.0.1:9", "http://localhost", "http://[::1]:9"]
        {
            assert!(set(&[(issuer, good), id]).is_ok(), "{good}");
        }
        for bad in ["http://id.test", "id.test", "ftp://127.0.0.1", "https://id.test?x=1", "http://127.0.0.1.evil.test"]
        {
            assert!(set(&[(issuer, bad), id]).unwrap_err().to_string().contains("console.oidc.issuer"), "{bad}");
        }
        let off = ("JETON__CONSOLE__PASSWORD_SIGN_IN", "false");
        assert!(set(&[off]).is_err());
        assert!(set(&[off, (issuer, "https://id.test"), id]).is_ok());
        assert!(set(&[(issuer, "https://id.test")]).unwrap_err().to_string().contains("client_id"));
        assert!(set(&[(issuer, "https://id.test"), id, ("JETON__CONSOLE__OIDC__SCOPES", "email")]).is_err());
        assert!(set(&[("JETON__CONSOLE__OIDC__MATCH_BY", "phone")]).is_err());
        let secret = ("JETON__CONSOLE__OIDC__CLIENT_SECRET", "c0ffee");
        assert!(!format!("{:?}", set(&[secret]).unwrap().lines()).contains("c0ffee"));
    }

    #[test]
    fn port_changes_the_port_only() {
        let loaded = load(&environment(&[("PORT", "9999")])).unwrap();
        assert_eq!(loaded.config.http.listen, "127.0.0.1:9999".parse().unwrap());
    }
}

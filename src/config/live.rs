//! What a running service takes from a configuration that is read again.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Config;
use super::load::flatten;

/// These take effect on SIGHUP; every other key needs a restart, and so does switching TLS on or off.
pub const LIVE_KEYS: [&str; 18] = [
    "http.max_connections",
    "http.header_timeout",
    "http.request_timeout",
    "http.max_body_bytes",
    "http.drain_timeout",
    "http.trusted_proxies",
    "http.tls.certificate",
    "http.tls.key",
    "http.tls.handshake_timeout",
    "http.tls.max_handshakes",
    "management.tls.certificate",
    "management.tls.key",
    "management.tls.handshake_timeout",
    "management.tls.max_handshakes",
    "validation.cache_bytes",
    "validation.cache_max_age",
    "validation.max_streams",
    "log.level",
];

impl Config {
    /// The keys whose values in `next` a service that was started with this configuration does not take.
    #[must_use]
    pub fn keys_that_need_a_restart(&self, next: &Self) -> Vec<String> {
        let (old, new) = (self.flat(), next.flat());
        let mut tls = Vec::new();
        for (section, before, after) in [
            ("http.tls", &self.http.tls, &next.http.tls),
            ("management.tls", &self.management.tls, &next.management.tls),
        ] {
            if before.is_on() != after.is_on() {
                tls.push(format!("{section}.certificate"));
            }
        }
        let differs = |key: &&String| old.get(*key) != new.get(*key) && !LIVE_KEYS.contains(&key.as_str());
        let missing = old.keys().filter(|key| !new.contains_key(*key));
        new.keys().chain(missing).filter(differs).cloned().chain(tls).collect()
    }

    fn flat(&self) -> BTreeMap<String, Value> {
        let mut lines = Vec::new();
        flatten("", &Table::try_from(self).expect("a configuration is plain data"), &mut lines);
        lines.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_live_needs_no_restart_and_the_rest_is_named() {
        let old = Config::default();
        let mut next = old.clone();
        next.http.max_body_bytes += 1;
        next.log.level.push('x');
        assert!(old.keys_that_need_a_restart(&next).is_empty());
        next.database.connections += 1;
        next.policies.remove("api");
        next.keys.master.push('x');
        let keys = old.keys_that_need_a_restart(&next);
        assert!(keys.starts_with(&["database.connections".to_owned(), "keys.master".to_owned()]), "{keys:?}");
        assert!(keys[2..].iter().all(|key| key.starts_with("policies.api.")) && keys.len() > 2, "{keys:?}");
    }

    #[test]
    fn a_certificate_is_exchanged_but_tls_is_not_switched_on() {
        let off = Config::default();
        let mut on = off.clone();
        on.http.tls.certificate = "a.pem".into();
        let mut other = on.clone();
        other.http.tls.certificate = "b.pem".into();
        assert_eq!(off.keys_that_need_a_restart(&on), ["http.tls.certificate"]);
        assert_eq!(on.keys_that_need_a_restart(&off), ["http.tls.certificate"]);
        assert!(on.keys_that_need_a_restart(&other).is_empty());
    }

    #[test]
    fn every_live_key_is_a_key_and_stands_in_the_manual() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
        let manual = std::fs::read_to_string(path).unwrap();
        let keys = Config::default().flat();
        for key in LIVE_KEYS {
            assert!(keys.contains_key(key), "{key}");
            assert!(manual.contains(&format!("`{key}`")), "{key} is not in docs/operations.md");
        }
    }
}

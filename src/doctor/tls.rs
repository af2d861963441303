//! Certificates of the listeners.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::Finding;
use crate::config::{self, Config};
use crate::domain::clock::Timestamp;
use crate::server::{Certificate, Files};

pub(super) fn examine(config: &Config, now: Timestamp) -> Vec<Finding> {
    let listeners =
        [("TLS of the public listener", &config.http.tls), ("TLS of the management listener", &config.management.tls)];
    let on = listeners.into_iter().filter(|(_, tls)| tls.is_on());
    on.flat_map(|(check, tls)| [Some(certificate(check, tls, now)), key(check, tls)]).flatten().collect()
}

fn certificate(check: &'static str, tls: &config::Tls, now: Timestamp) -> Finding {
    let advice = "renew it; SIGHUP takes the new one without a restart";
    match Certificate::read(&Files::of(tls)) {
        Err(error) => {
            let advice = "name the PEM files of a certificate and of its own unencrypted key";
            Finding::error(check, format!("{:#}", anyhow::Error::from(error)), advice)
        }
        Ok(certificate) => match certificate.caution(now) {
            Some(caution) if certificate.is_good_at(now) => Finding::warning(check, caution, advice),
            Some(caution) => Finding::error(check, caution, advice),
            None => {
                Finding::ok(check, format!("the certificate fits its key and is good until {}", certificate.ends()))
            }
        },
    }
}

fn key(check: &'static str, tls: &config::Tls) -> Option<Finding> {
    let mode = fs::metadata(&tls.key).ok()?.permissions().mode() & 0o777;
    let found = format!("{} has mode {mode:04o}: everybody can read the key", tls.key.display());
    (mode & 0o004 != 0).then(|| Finding::warning(check, found, format!("chmod 0600 {}", tls.key.display())))
}

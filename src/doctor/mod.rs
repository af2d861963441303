//! `jeton doctor`: looks at everything that the service needs on this machine, and changes nothing.

mod database;
mod keys;
mod listeners;
mod machine;
mod nodes;
mod tls;

use std::path::PathBuf;

use serde::Serialize;

use crate::config::{Loaded, Origin};
use crate::domain::clock::Clock;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ok,
    /// The service starts, and something is not as it should be in production.
    Warning,
    /// The service does not start, or does not keep what it promises.
    Error,
}

/// One check: what was found, and what to do about it.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub verdict: Verdict,
    pub found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    pub(crate) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, found: found.into(), advice: None }
    }

    pub(crate) fn warning(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warning, found: found.into(), advice: Some(advice.into()) }
    }

    pub(crate) fn error(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Error, found: found.into(), advice: Some(advice.into()) }
    }
}

/// Where secrets of the configuration were read from.
#[derive(Clone, Debug, Default)]
pub struct SecretFiles {
    /// The file of `keys.master` and of `keys.previous`, where one was named.
    pub keys: Vec<PathBuf>,
}

impl SecretFiles {
    /// `variable` reads the environment.
    #[must_use]
    pub fn of(loaded: &Loaded, variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |value: &str| value != "\"\"";
        let of_a_key = loaded.lines().into_iter().filter(|(key, value, _)| key.starts_with("keys.") && is_set(value));
        let keys = of_a_key.filter_map(|(_, _, origin)| match origin {
            Origin::File(path) => Some(path),
            Origin::Environment(name) if name.ends_with("_FILE") => variable(&name).map(PathBuf::from),
            _ => None,
        });
        Self { keys: keys.collect() }
    }
}

/// Makes all checks. None of them stops the next.
pub async fn examine(loaded: &Loaded, secrets: &SecretFiles, clock: &Clock) -> Vec<Finding> {
    let config = &loaded.config;
    let file = loaded
        .file
        .as_ref()
        .map_or_else(|| "no file, defaults and environment".to_owned(), |path| path.display().to_string());
    let mut findings = vec![Finding::ok("configuration", file)];
    findings.extend(machine::examine(config));
    findings.extend(keys::files(config, secrets));
    findings.extend(database::examine(config, clock).await);
    findings.push(listeners::public_url(config));
    findings.extend(tls::examine(config, clock.now()));
    findings.extend(listeners::examine(config).await);
    findings
}

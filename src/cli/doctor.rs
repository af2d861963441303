//! `jeton doctor`: what stands in the way of the service on this machine, and what to do about it.

use clap::{Args, ValueEnum};
use serde_json::json;

use super::exit::{Exit, Failed};
use super::output;
use super::serve::runtime;
use crate::config::Loaded;
use crate::doctor::{Finding, SecretFiles, Verdict, examine};
use crate::domain::clock::Clock;

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Doctor {
    /// Output format
    #[arg(short, long = "output", visible_alias = "format", value_enum, default_value_t = Form::Text)]
    pub output: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// A line for each check
    Text,
    Json,
}

/// Exit 1 if there is an error; a warning is none.
pub(super) fn run(command: Doctor, loaded: &Result<Loaded, Failed>) -> Result<(), Failed> {
    let findings = match loaded {
        Err(failed) => {
            let advice = "jeton config init writes a file with every key and its comment";
            vec![Finding::error("configuration", failed.message.clone(), advice)]
        }
        Ok(loaded) => {
            let secrets = SecretFiles::of(loaded, |name| std::env::var(name).ok());
            runtime()?.block_on(examine(loaded, &secrets, &Clock::system()))
        }
    };
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (errors, warnings) = (count(Verdict::Error), count(Verdict::Warning));
    match command.output {
        Form::Json => {
            let report = json!({
                "version": env!("CARGO_PKG_VERSION"), "errors": errors, "warnings": warnings, "checks": findings,
            });
            let text = serde_json::to_string_pretty(&report).map_err(Failed::internal)?;
            output::raw(format!("{text}\n").as_bytes())?;
        }
        Form::Text => {
            let lines: String = findings.iter().map(line).collect();
            output::raw(lines.as_bytes())?;
        }
    }
    if errors > 0 {
        return Err(Failed::new(Exit::Failed, format!("{errors} errors, {warnings} warnings")));
    }
    Ok(())
}

fn line(finding: &Finding) -> String {
    let verdict = match finding.verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Error => "error",
    };
    // What comes from elsewhere, such as a server's message, stays on its line.
    let plain = |text: &str| text.replace(char::is_control, " ");
    let advice = finding.advice.as_deref().map(|advice| format!(". {}", capital(advice))).unwrap_or_default();
    format!("{verdict:<8} {:<24} {}{}\n", finding.check, plain(&finding.found), plain(&advice))
}

/// A sentence of its own; commands keep their spelling.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !text.starts_with("jeton") && !text.starts_with("chmod") => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
